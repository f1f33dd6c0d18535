import type { GetStateResponse } from "../../proto/gen/tailtune/v1/GetStateResponse.ts";
import type { StateHeader } from "../../proto/gen/tailtune/v1/StateHeader.ts";
import { checkEnd, type TensorReceiver } from "../../shared/exchange/tensor-stream.ts";
import { Refusal } from "../../shared/rpc/refusal.ts";

/**
 * Reads a state: its header, its numbers and its end.
 * @param begin returns the receiver of the numbers; called once, when the header has arrived
 * @throws Refusal if a message is wrong, in the wrong place or missing; the receiver's vectors then have any content.
 *   As `messages` if their connection breaks; the receiver can then add the chunks that follow
 */
export async function readState(
	messages: AsyncIterable<GetStateResponse>,
	runId: string,
	begin: (header: StateHeader) => TensorReceiver,
): Promise<StateHeader> {
	let header: StateHeader | undefined;
	let receiver: TensorReceiver | undefined;
	let isWhole = false;
	for await (const { header: found, chunk, end } of messages) {
		if (isWhole || !!found === !!header || (header && !chunk && !end))
			throw new Refusal("REFUSAL_ORDER", `run ${runId}: a state whose messages aren't a header, chunks and an end`);
		if (found) {
			header = found;
			receiver = begin(found);
		}
		if (chunk) receiver?.add(chunk);
		if (end) checkEnd(end, receiver?.assertWhole() ?? 0);
		isWhole = !!end;
	}
	if (header && isWhole) return header;
	throw new Refusal("REFUSAL_LENGTH", `run ${runId}: its state ended early`);
}
