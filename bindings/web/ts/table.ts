// The table of small scalars that was cut out of a module: see `bindgen/src/table.rs`.

/** Entries of the table: the numbers 0 to 2^16 − 1, times 2^256, below the order of BN254's scalar field. */
const ENTRIES = 1 << 16;
/** Limbs of a number, of 32 bits, the lowest first. */
const LIMBS = 8;
const limbs = (number: bigint) => Array.from({ length: LIMBS }, (_, i) => Number((number >> BigInt(32 * i)) & 0xffff_ffffn));
const R = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
const ORDER = limbs(R);
const ONE = limbs(2n ** 256n % R);

/** Puts the table where it belongs in a module's memory, before anything else is asked of the module. */
export function restore(memory: WebAssembly.Memory, addresses: readonly number[]): void {
  const [first, ...others] = addresses;
  if (first === undefined) return;
  const table = new Uint32Array(memory.buffer, first, ENTRIES * LIMBS);
  for (let i = LIMBS; i < table.length; i += LIMBS) next(table, i);
  for (const address of others) new Uint32Array(memory.buffer, address, ENTRIES * LIMBS).set(table);
}

/** The entry at a place, from the one before. */
function next(table: Uint32Array, at: number): void {
  let carry = 0;
  for (let i = 0; i < LIMBS; i++) {
    const sum = (table[at - LIMBS + i] as number) + (ONE[i] as number) + carry;
    table[at + i] = sum;
    carry = sum > 0xffff_ffff ? 1 : 0;
  }
  for (let i = LIMBS - 1; i >= 0; i--) {
    const [own, order] = [table[at + i] as number, ORDER[i] as number];
    if (own > order) break;
    if (own < order) return;
  }
  let borrow = 0;
  for (let i = 0; i < LIMBS; i++) {
    const rest = (table[at + i] as number) - (ORDER[i] as number) - borrow;
    table[at + i] = rest;
    borrow = rest < 0 ? 1 : 0;
  }
}
