/** What all watches stand on: loops that wait for a change, and end when there will be none. */
export class Changes {
	#ended = false;
	#wake: () => void = () => {};
	#next = this.#nextChange();

	/** Lets every loop look again. */
	notify(): void {
		const wake = this.#wake;
		this.#next = this.#nextChange();
		wake();
	}

	end(): void {
		this.#ended = true;
		this.notify();
	}

	/** Yields what `take` finds, waiting for a change where it finds nothing, until the end or the abort. */
	async *follow<T>(take: () => T | undefined, signal: AbortSignal): AsyncGenerator<T, void, undefined> {
		const wake = () => this.notify();
		signal.addEventListener("abort", wake);
		try {
			while (!this.#ended && !signal.aborted) {
				const found = take();
				if (found === undefined) await this.#next;
				else yield found;
			}
		} finally {
			signal.removeEventListener("abort", wake);
		}
	}

	#nextChange(): Promise<void> {
		return new Promise((resolve) => {
			this.#wake = resolve;
		});
	}
}

/** A watch of something that doesn't exist. */
export async function* endedWatch(): AsyncGenerator<never, void, undefined> {}
