/** Memory that several stores share. */
export class ByteBudget {
	#leftBytes: number;

	constructor(bytes: number) {
		this.#leftBytes = bytes;
	}

	/** Takes so many bytes, or none and says false. */
	take(bytes: number): boolean {
		if (bytes > this.#leftBytes) return false;
		this.#leftBytes -= bytes;
		return true;
	}

	giveBack(bytes: number): void {
		this.#leftBytes += bytes;
	}
}
