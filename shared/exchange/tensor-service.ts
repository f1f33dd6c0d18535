import type { TensorsClient as GeneratedClient, TensorsDefinition } from "../../proto/gen/tailtune/v1/Tensors.ts";
import { Refusal } from "../rpc/refusal.ts";
import { clientOf, loadService, PROTOCOL_VERSION } from "../rpc/service.ts";

const NAME = "tailtune.v1.Tensors";

/** Characters of the longest text in a request: ids of runs and workers, hashes, and names of files are much shorter. */
const LONGEST_TEXT = 1024;

/** The service of proto/tailtune/v1/tensors.proto. */
export const tensorsDefinition = loadService<TensorsDefinition>("tailtune/v1/tensors.proto", NAME, LONGEST_TEXT);

export type TensorsClient = GeneratedClient;

/** Makes clients of that service. */
export const TensorsClientConstructor = clientOf<TensorsClient>(tensorsDefinition, NAME);

/** Throws a Refusal where the caller speaks another version. */
export function checkProtocolVersion({ protocolVersion }: { readonly protocolVersion: number }): void {
	if (protocolVersion !== PROTOCOL_VERSION)
		throw new Refusal("REFUSAL_PROTOCOL_VERSION", `protocol version ${protocolVersion}, expected ${PROTOCOL_VERSION}`);
}
