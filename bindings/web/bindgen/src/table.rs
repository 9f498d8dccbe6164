//! The table of the first 2^16 scalars in Montgomery form, which the curve library has and halo2 asks for. Two megabytes of it do not
//! compress, and it is computed in a millisecond: it is cut out of the module, and the package's TypeScript puts it back
//! (`ts/table.ts`), at the addresses that are written beside the module.

use walrus::{ConstExpr, DataKind, Module, ir::Value};

/// Entries of the table.
pub(crate) const ENTRIES: usize = 1 << 16;
/// Bytes of an entry.
const BYTES: usize = 32;

/// A number of four limbs, the lowest first.
type Limbs = [u64; 4];

/// Order of BN254's scalar field.
pub(crate) const ORDER: Limbs =
    [0x43e1_f593_f000_0001, 0x2833_e848_79b9_7091, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029];

/// The sum of two numbers below the order, below the order.
fn add(a: Limbs, b: Limbs) -> Limbs {
    let (mut sum, mut carry) = ([0; 4], false);
    for i in 0..4 {
        (sum[i], carry) = a[i].carrying_add(b[i], carry);
    }
    let (mut less, mut borrow) = ([0; 4], false);
    for i in 0..4 {
        (less[i], borrow) = sum[i].borrowing_sub(ORDER[i], borrow);
    }
    if borrow { sum } else { less }
}

/// 2^256 below the order: the number one in Montgomery form.
fn one() -> Limbs {
    (0..256).fold([1, 0, 0, 0], |power, _| add(power, power))
}

/// The whole table.
fn table() -> Vec<u8> {
    let entries = std::iter::successors(Some([0; 4]), |last| Some(add(*last, one())));
    entries.take(ENTRIES).flat_map(|limbs: Limbs| limbs.map(u64::to_le_bytes)).flatten().collect()
}

/// Cuts the first copy out of each segment of a module's data, and gives their addresses; none when there is no more.
pub(crate) fn cut(module: &mut Module) -> Vec<u32> {
    let table = table();
    let mut addresses = Vec::new();
    let mut added = Vec::new();
    let ids: Vec<_> = module.data.iter().map(|data| data.id()).collect();
    for id in ids {
        let data = module.data.get_mut(id);
        let DataKind::Active { memory, offset: ConstExpr::Value(Value::I32(start)) } = data.kind else {
            continue;
        };
        // What follows a copy is a segment of its own, which the next call looks at.
        if let Some(at) = find(&data.value, &table) {
            addresses.push(start.cast_unsigned() + at as u32);
            let rest = data.value.split_off(at + table.len());
            data.value.truncate(at);
            let offset = start.cast_unsigned() + (at + table.len()) as u32;
            added.push((memory, offset, rest));
        }
    }
    for (memory, offset, value) in added {
        let offset = ConstExpr::Value(Value::I32(offset.cast_signed()));
        module.data.add(DataKind::Active { memory, offset }, value);
    }
    addresses
}

/// Place of the table among these bytes. The second entry is looked for: the first is zero, as much else is.
fn find(bytes: &[u8], table: &[u8]) -> Option<usize> {
    let second = &table[BYTES..2 * BYTES];
    let places = bytes.windows(BYTES).enumerate().filter(|(_, window)| *window == second);
    let starts = places.filter_map(|(at, _)| at.checked_sub(BYTES));
    starts.into_iter().find(|at| bytes[*at..].starts_with(table))
}

/// The JavaScript that says where the table belongs.
pub(crate) fn script(addresses: &[u32]) -> String {
    format!(
        "// Where the table of small scalars belongs that was cut out of the module.\nexport const addresses = {addresses:?};\n"
    )
}

/// Its types.
pub(crate) const TYPES: &str = "export const addresses: readonly number[];\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_multiples_of_one() {
        let table = table();
        assert_eq!(table.len(), ENTRIES * BYTES);
        assert!(table[..BYTES].iter().all(|b| *b == 0));
        // 2^256 mod r, as halo2curves has it for the number one.
        let one: Vec<u8> =
            [0xac96_341c_4fff_fffb_u64, 0x36fc_7695_9f60_cd29, 0x666e_a36f_7879_462e, 0x0e0a_77c1_9a07_df2f]
                .into_iter()
                .flat_map(u64::to_le_bytes)
                .collect();
        assert_eq!(table[BYTES..2 * BYTES], one);
    }

    #[test]
    fn a_copy_is_found_where_it_is_whole() {
        let table = table();
        let around = [vec![0; 100], table.clone(), vec![7; 5]].concat();
        assert_eq!(find(&around, &table), Some(100));
        assert_eq!(find(&around[..around.len() - 6], &table), None);
        assert_eq!(find(&table[BYTES..], &table), None);
    }

    #[test]
    fn what_is_cut_leaves_all_else_where_it_was() {
        let mut module = Module::default();
        let memory = module.memories.add_local(false, false, 40, None, None);
        let offset = ConstExpr::Value(Value::I32(1024));
        let value = [vec![1; 8], table(), vec![2; 8], table(), vec![3; 8]].concat();
        module.data.add(DataKind::Active { memory, offset }, value);
        let size = (ENTRIES * BYTES) as u32;
        let addresses = [1032, 1040 + size];
        // One segment is cut at a time; what follows is looked at in the next pass.
        let mut found = cut(&mut module);
        found.extend(cut(&mut module));
        assert_eq!(found, addresses);
        let left: usize = module.data.iter().map(|data| data.value.len()).sum();
        assert_eq!(left, 24);
    }
}
