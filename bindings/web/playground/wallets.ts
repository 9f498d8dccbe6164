// Wallets of the browser: those that announce themselves (EIP-6963), or the one that is simply there (EIP-1193).

import type { EIP1193Provider } from "viem";

export type Named = { name: string; provider: EIP1193Provider };

/** Longer names are not shown whole: they are the wallets' own words. */
const LONGEST = 40;

/** Tells of all wallets, and again whenever one more announces itself. */
export function wallets(tell: (all: readonly Named[]) => void): void {
  const announced = new Map<string, Named>();
  const { ethereum } = window as { ethereum?: EIP1193Provider };
  const all = () => (announced.size === 0 && ethereum !== undefined ? [{ name: "your wallet", provider: ethereum }] : [...announced.values()]);
  window.addEventListener("eip6963:announceProvider", (event) => {
    const { info, provider } = (event as CustomEvent<{ info?: { uuid?: unknown; name?: unknown }; provider?: EIP1193Provider }>).detail ?? {};
    if (typeof info?.uuid !== "string" || typeof info.name !== "string" || typeof provider?.request !== "function") return;
    announced.set(info.uuid, { name: info.name.slice(0, LONGEST), provider });
    tell(all());
  });
  window.dispatchEvent(new Event("eip6963:requestProvider"));
  tell(all());
}
