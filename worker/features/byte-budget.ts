/** A limit of memory that several stores share. */
export class ByteBudget {
	#leftBytes: number;

	constructor(bytes: number) {
		this.#leftBytes = bytes;
	}

	/** Reserves bytes. @returns false, and reserves nothing, if fewer are left */
	reserve(bytes: number): boolean {
		if (bytes > this.#leftBytes) return false;
		this.#leftBytes -= bytes;
		return true;
	}

	/** Returns reserved bytes. */
	release(bytes: number): void {
		this.#leftBytes += bytes;
	}
}
