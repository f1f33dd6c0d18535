// What the kernels use of WebAssembly: Node's types leave it to the browser's.
declare namespace WebAssembly {
	class Module {
		constructor(bytes: Uint8Array);
	}
	/** Sizes in pages of 64 KiB. */
	class Memory {
		constructor(pages: { initial: number; maximum: number; shared: true });
		readonly buffer: SharedArrayBuffer;
	}
	class Instance {
		constructor(module: Module, imports: object);
		readonly exports: unknown;
	}
}
