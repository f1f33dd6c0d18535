import type { ExchangeDefinition, ExchangeClient as GeneratedClient } from "../../proto/gen/tailtune/v1/Exchange.ts";
import { Refusal } from "../rpc/refusal.ts";
import { clientOf, loadService, PROTOCOL_VERSION } from "../rpc/service.ts";

const NAME = "tailtune.v1.Exchange";

/** Characters of the longest text in a request: messages of failures are shorter, ids, hashes and file names much shorter. */
const LONGEST_TEXT = 2048;

/** The service of proto/tailtune/v1/exchange.proto. */
export const exchangeDefinition = loadService<ExchangeDefinition>("tailtune/v1/exchange.proto", NAME, LONGEST_TEXT);

export type ExchangeClient = GeneratedClient;

/** Makes clients of that service. */
export const ExchangeClientConstructor = clientOf<ExchangeClient>(exchangeDefinition, NAME);

/** Throws a Refusal where the caller speaks another version. */
export function checkProtocolVersion({ protocolVersion }: { readonly protocolVersion: number }): void {
	if (protocolVersion !== PROTOCOL_VERSION)
		throw new Refusal("REFUSAL_PROTOCOL_VERSION", `protocol version ${protocolVersion}, expected ${PROTOCOL_VERSION}`);
}
