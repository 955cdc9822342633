// One verdict from what holds of a receipt and what the ledger says; the gravest comes first.
export const LOOKS = {
  genuine: "good",
  recorded: "good",
  changed: "bad",
  unknown_key: "bad",
  other_signer: "bad",
  ledger_differs: "bad",
  ledger_unproven: "doubt",
  expired: "doubt",
  unreadable: "doubt",
  not_ours: "bad",
  cannot_check: "doubt",
};

export function verdict(holds, ledger = "asking") {
  if (!holds.certificate) return "unknown_key";
  if (!holds.device) return "changed";
  if (!holds.signer) return "other_signer";
  if (ledger === "differs") return "ledger_differs";
  if (!holds.time) return "expired";
  if (ledger === "unproven") return "ledger_unproven";
  return ledger === "recorded" ? "recorded" : "genuine";
}
