import type { Answer, AnswerReceiver, AnswerSizes, ExpectedAnswer } from "../../../shared/exchange/tensor-exchange.ts";
import type { WorkResult } from "../../../shared/messages.ts";
import { Refusal } from "../../../shared/rpc/refusal.ts";

/** Replaces a coordinator's dispatcher: accepts one answer per item. */
export class ReceivedAnswers implements AnswerReceiver {
	readonly answers: Answer[] = [];
	readonly #size: number;
	readonly #isAsked: (serial: number) => boolean;
	readonly #over = new Map<number, AbortController>();

	readonly #version: number | undefined;

	/**
	 * @param size numbers per tensor
	 * @param isAsked whether an item waits until it is answered; default: all do
	 * @param version of the parameters that the items need; default: none
	 */
	constructor(size: number, isAsked: (serial: number) => boolean = () => true, version?: number) {
		this.#size = size;
		this.#isAsked = isAsked;
		this.#version = version;
	}

	/** The tensors, in order of arrival. */
	get tensors(): (Float32Array | undefined)[] {
		return this.answers.map(({ tensor }) => tensor);
	}

	expect({ serial }: WorkResult, { tensor }: AnswerSizes): ExpectedAnswer {
		const { signal } = this.#waiting(serial);
		if (tensor !== 0 && tensor !== this.#size)
			throw new Refusal("REFUSAL_LENGTH", `a tensor of ${tensor} numbers, expected ${this.#size}`);
		return { over: signal, version: this.#version };
	}

	accept(answer: Answer): void {
		this.expect(answer.result, { logits: answer.logits.length, tensor: answer.tensor?.length ?? 0 });
		this.answers.push(answer);
		this.end(answer.result.serial);
	}

	/** Ends the wait for an item. */
	end(serial: number): void {
		this.#waiting(serial).abort(notExpected(serial));
	}

	#waiting(serial: number): AbortController {
		const over = this.#over.get(serial) ?? new AbortController();
		if (over.signal.aborted || !this.#isAsked(serial)) throw notExpected(serial);
		this.#over.set(serial, over);
		return over;
	}
}

function notExpected(serial: number): Refusal {
	return new Refusal("REFUSAL_NOT_EXPECTED", `item ${serial} is not waiting for an answer`);
}
