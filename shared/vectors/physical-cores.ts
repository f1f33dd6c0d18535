import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/**
 * Number of physical cores that this process may use: hyper-threads share a core, and matrix products gain nothing from
 * the second one. If the system doesn't report cores, the number of processors that this process may use.
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
