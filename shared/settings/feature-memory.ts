import { totalmem } from "node:os";
import type { TrainConfig } from "./config.ts";

const UNITS: Record<string, number> = { kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30 };

const CACHE_BYTES = 2 * 2 ** 30;

/** Returns `--feature-cache` in bytes. */
export function featureCacheBytes(setting: TrainConfig["featureCache"]): number {
	return setting === undefined ? CACHE_BYTES : bytesOf(setting);
}

/** Returns `--feature-memory` in bytes; default: a quarter of the machine's memory. */
export function featureMemoryBytes(setting: TrainConfig["featureMemory"]): number {
	return setting === undefined ? totalmem() / 4 : bytesOf(setting);
}

function bytesOf(setting: number | string): number {
	if (typeof setting === "number") return setting;
	const [, amount = "0", unit = ""] = /^([\d.]+)\s*(\w+)$/.exec(setting) ?? [];
	return Number(amount) * (UNITS[unit.toLowerCase()] ?? 1);
}
