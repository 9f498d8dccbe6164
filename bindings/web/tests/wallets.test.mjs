// The playground with wallets: one that is simply there (EIP-1193), one that announces itself (EIP-6963), and what they refuse.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { anvil } from "../../../tests/js/anvil.mjs";
import { choose, forget, openSite, prove, settled } from "./playground.mjs";

let site, url, stop;
before(async () => {
  [site, url] = await Promise.all([openSite(), anvil((end) => (stop = end))]);
});
after(async () => {
  stop?.();
  await site?.close();
});

/**
 * A wallet in the page, before any of its scripts run: it keeps its chain and account to itself, asks its user, and hands everything else to a
 * node. What is in `refuses`, its user refuses.
 */
function wallet({ url, name, chainId, knows, announces, refuses }) {
  const state = { chainId, known: new Set(knows), refuses: new Set(refuses), account: 0, heard: [], listeners: {} };
  const refusal = (code, message) => Object.assign(new Error(message), { code });
  const node = async (method, params) => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: params ?? [] });
    const { result, error } = await (await fetch(url, { method: "POST", body, headers: { "content-type": "application/json" } })).json();
    if (error) throw refusal(error.code, error.message);
    return result;
  };
  const answers = {
    eth_chainId: async () => state.chainId,
    eth_requestAccounts: async () => [(await node("eth_accounts"))[state.account]],
    eth_accounts: async () => [(await node("eth_accounts"))[state.account]],
    wallet_switchEthereumChain: async ([{ chainId }]) => {
      if (!state.known.has(chainId)) throw refusal(4902, "Unrecognized chain ID");
      state.chainId = chainId;
      return null;
    },
    wallet_addEthereumChain: async ([{ chainId, rpcUrls }]) => {
      state.added = rpcUrls[0];
      state.known.add(chainId);
      return null;
    },
  };
  const provider = {
    request: async ({ method, params }) => {
      state.heard.push(method);
      if (state.refuses.has(method)) throw refusal(4001, "User denied it.");
      return answers[method] ? answers[method](params) : node(method, params);
    },
    on: (event, listener) => (state.listeners[event] ??= []).push(listener),
    removeListener: () => {},
  };
  window.wallet = state;
  if (!announces) return void (window.ethereum = provider);
  const info = { uuid: "350670db-19fa-4704-a166-e52e178b59d2", name, icon: "data:image/svg+xml,", rdns: "org.example" };
  const announce = () => window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info, provider }) }));
  window.addEventListener("eip6963:requestProvider", announce);
  announce();
}

async function proven(t, given) {
  const prepare = (page) => page.addInitScript(wallet, { url, name: "Example", chainId: "0x7a69", knows: ["0x7a69"], announces: false, refuses: [], ...given });
  const opened = await site.open(t, { prepare });
  await choose(opened.page, "age");
  await prove(opened.page);
  await opened.page.fill("#rpc", url);
  return opened;
}
async function hand(page, name) {
  await forget(page, "chain-status");
  await page.click(`#wallets button:text-is("With ${name}")`);
  return settled(page, "chain-status");
}
const state = (page, act, argument) => page.evaluate(act, argument);

test("a wallet that is there sends the proof, and another account of it after that", async (t) => {
  const { page, complaints } = await proven(t, {});
  const first = await hand(page, "your wallet");
  assert.ok(first.good, first.text);
  const consumer = await page.textContent("#receipt code");
  await state(page, () => {
    window.wallet.account = 1;
    for (const listener of window.wallet.listeners.accountsChanged ?? []) listener([]);
  });
  const second = await hand(page, "your wallet");
  assert.ok(second.good, second.text);
  assert.notEqual(await page.textContent("#receipt code"), consumer, "contracts of its own");
  assert.deepEqual(complaints, []);
});

test("a wallet that announces itself goes by its name; on another chain it is told of the local one", async (t) => {
  const { page } = await proven(t, { announces: true, chainId: "0x1", knows: ["0x1"] });
  assert.equal(await page.locator("#wallets button").count(), 1);
  const sent = await hand(page, "Example");
  assert.ok(sent.good, sent.text);
  const [heard, added] = await state(page, () => [window.wallet.heard, window.wallet.added]);
  assert.deepEqual(heard.filter((method) => method.startsWith("wallet_")), ["wallet_switchEthereumChain", "wallet_addEthereumChain", "wallet_switchEthereumChain"]);
  assert.equal(new URL(added).host, new URL(url).host);
});

test("what the user refuses is not sent, and the page says so", async (t) => {
  const { page, complaints } = await proven(t, { chainId: "0x1", knows: ["0x1", "0x7a69"] });
  for (const method of ["eth_requestAccounts", "wallet_switchEthereumChain", "eth_sendTransaction"]) {
    await state(page, (method) => (window.wallet.refuses = new Set([method])), method);
    const { good, text } = await hand(page, "your wallet");
    assert.ok(!good, method);
    assert.match(text, /^Not sent: User rejected the request/, method);
    assert.ok(await page.isHidden("#receipt"));
  }
  await state(page, () => (window.wallet.refuses = new Set()));
  assert.ok((await hand(page, "your wallet")).good, "and then it does");
  assert.deepEqual(complaints, []);
});

test("announcements that are none are passed over, and long names are cut", async (t) => {
  const { page, complaints } = await site.open(t);
  assert.ok(await page.locator("#wallets").isHidden());
  await page.evaluate(() => {
    const say = (detail) => window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
    for (const detail of [null, {}, { info: {} }, { info: { uuid: 1, name: 2 } }, { info: { uuid: "a", name: "b" } }]) say(detail);
    say({ info: { uuid: "c", name: `<img src=x onerror=alert(1)>${"x".repeat(1000)}` }, provider: { request() {} } });
  });
  const names = await page.evaluate(() => [...document.querySelectorAll("#wallets button")].map((b) => b.textContent));
  assert.equal(names.length, 1);
  assert.ok(names[0].startsWith("With <img") && names[0].length < 60, "text, and short");
  assert.deepEqual(complaints, []);
});
