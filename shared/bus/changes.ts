/** Wakes loops that wait for a change. All watches of the bus are built on it. */
export class Changes {
	#ended = false;
	#wake: () => void = () => {};
	#next = this.#nextChange();

	/** Wakes every loop, so that it checks for news. */
	notify(): void {
		const wake = this.#wake;
		this.#next = this.#nextChange();
		wake();
	}

	/** Ends every loop. */
	end(): void {
		this.#ended = true;
		this.notify();
	}

	/**
	 * Yields the results of `take`. If `take` returns undefined, waits for the next change. Stops at `end` or the abort.
	 */
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

/** Ends at once: the watch of a run that doesn't exist. */
export async function* watchNothing(): AsyncGenerator<never, void, undefined> {}
