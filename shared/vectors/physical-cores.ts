import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/**
 * Cores that compute independently: hyper-threads share one, and matrix products gain nothing from the second.
 * Where the system doesn't tell, all processors that this process may use.
 */
export function countPhysicalCores(): number {
	const usable = availableParallelism();
	try {
		const cores = new Set<string>();
		for (const processor of readFileSync("/proc/cpuinfo", "utf8").split("\n\n")) {
			const socket = /^physical id\s*: (\d+)/m.exec(processor)?.[1];
			const core = /^core id\s*: (\d+)/m.exec(processor)?.[1];
			if (socket !== undefined && core !== undefined) cores.add(`${socket}/${core}`);
		}
		return cores.size > 0 ? Math.min(cores.size, usable) : usable;
	} catch {
		return usable;
	}
}
