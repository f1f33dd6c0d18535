import { createRequire } from "node:module";

/**
 * Runs the exit handlers and ends the process at once. `process.exit` would end the threads first, and ONNX Runtime
 * aborts the process (code 134) if a thread is ended during a computation. Without koffi, `process.exit` is used.
 */
export function exitNow(code: number): void {
	const end = systemExit();
	if (!end) process.exit(code);
	process.emit("exit", code);
	end(code);
}

/** Finds the system's function that ends a process; undefined without koffi. */
function systemExit(): ((code: number) => void) | undefined {
	try {
		const koffi: typeof import("koffi") = createRequire(import.meta.url)("koffi");
		if (process.platform === "win32") return koffi.load("kernel32.dll").func("void ExitProcess(uint32_t code)");
		return koffi.load(null).func("void _exit(int code)");
	} catch {
		return undefined;
	}
}
