import type { ExchangeDefinition, ExchangeClient as GeneratedClient } from "../../proto/gen/tailtune/v1/Exchange.ts";
import { Refusal } from "../rpc/refusal.ts";
import { clientOf, loadService, PROTOCOL_VERSION } from "../rpc/service.ts";

const NAME = "tailtune.v1.Exchange";

/**
 * Most characters of a text in a request: failure messages are shorter; ids, hashes and file names are much shorter.
 */
const LONGEST_TEXT = 2048;

/** The service of proto/tailtune/v1/exchange.proto. */
export const exchangeDefinition = loadService<ExchangeDefinition>("tailtune/v1/exchange.proto", NAME, LONGEST_TEXT);

export type ExchangeClient = GeneratedClient;

/** The constructor of the service's clients. */
export const ExchangeClientConstructor = clientOf<ExchangeClient>(exchangeDefinition, NAME);

/** Checks the caller's protocol version. @throws Refusal if it is another one */
export function checkProtocolVersion({ protocolVersion }: { readonly protocolVersion: number }): void {
	if (protocolVersion !== PROTOCOL_VERSION)
		throw new Refusal("REFUSAL_PROTOCOL_VERSION", `protocol version ${protocolVersion}, expected ${PROTOCOL_VERSION}`);
}
