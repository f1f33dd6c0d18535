import { createRequire } from "node:module";

/**
 * Ends the process with that exit code at once, after all that is done at every exit. `process.exit` ends the threads
 * first, and ONNX Runtime aborts the process (code 134) if one of them is ended while it computes. Without koffi it is
 * `process.exit`.
 */
export function exitNow(code: number): void {
	const end = systemExit();
	if (!end) process.exit(code);
	process.emit("exit", code);
	end(code);
}

/** The system's own function that ends a process. */
function systemExit(): ((code: number) => void) | undefined {
	try {
		const koffi: typeof import("koffi") = createRequire(import.meta.url)("koffi");
		if (process.platform === "win32") return koffi.load("kernel32.dll").func("void ExitProcess(uint32_t code)");
		return koffi.load(null).func("void _exit(int code)");
	} catch {
		return undefined;
	}
}
