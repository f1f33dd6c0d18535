/** A blob that reports how many bytes of it were read, for the progress of an upload. It is read as a stream. */
export class CountedBlob extends Blob {
	override readonly size: number;
	readonly #content: Blob;
	readonly #onBytes: (bytes: number) => void;

	/** @param onBytes called with the number of bytes of each chunk */
	constructor(content: Blob, onBytes: (bytes: number) => void) {
		super([]);
		this.size = content.size;
		this.#content = content;
		this.#onBytes = onBytes;
	}

	override stream(): ReturnType<Blob["stream"]> {
		const onBytes = this.#onBytes;
		const counter = new TransformStream<Uint8Array, Uint8Array>({
			transform(chunk, controller) {
				onBytes(chunk.length);
				controller.enqueue(chunk);
			},
		});
		return this.#content.stream().pipeThrough(counter);
	}
}
