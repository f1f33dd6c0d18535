import { availableParallelism } from "node:os";
import type { Bench, BenchContext, Row, Table } from "./bench.ts";
import type { BenchOptions } from "./benches.ts";
import { Fleet, type FleetFigures } from "./fleet-run.ts";
import type { FleetSettings } from "./fleet-settings.ts";
import { median } from "./measure-in-turn.ts";
import { withFolder } from "./tailtune-run.ts";

/** Settings of a run, and the workers of its fleet. */
interface FleetCase extends FleetSettings {
	readonly workers: number;
}

/** Texts of a worker if the batch grows with the fleet, and texts of all workers if it doesn't. */
const OWN_TEXTS = 8;
const ALL_TEXTS = 64;
const LARGEST_FLEET = 32;

/** Measures fleets of up to 32 worker processes whose engines wait like a GPU instead of computing. */
export function fleetBench({ full }: Pick<BenchOptions, "full">): Bench {
	return {
		name: "fleet",
		run: (context) =>
			withFolder(async (folder) => {
				const cases = full ? fullCases() : fewCases();
				const figures = new Map<FleetCase, FleetFigures>();
				for (const workers of new Set(cases.map((one) => one.workers))) {
					const own = cases.filter((one) => one.workers === workers);
					for (const [one, found] of await measureFleet(folder, workers, own, context)) figures.set(one, found);
				}
				return [true, false].map((applies) => tableOf(figures, applies));
			}),
	};
}

/** For 20 ms: runs in which workers apply updates, and the same without. */
function fewCases(): FleetCase[] {
	const of = (workers: number, gpuMs: number, batch: number, size: FleetSettings["size"] = "small") =>
		(gpuMs === 20 ? [true, false] : [true]).map((applies) => ({ size, workers, gpuMs, batch, applies }));
	const sizes = [1, 2, 8, LARGEST_FLEET].flatMap((workers) => [
		...of(workers, 20, OWN_TEXTS * workers),
		...(OWN_TEXTS * workers === ALL_TEXTS ? [] : of(workers, 20, ALL_TEXTS)),
	]);
	const others = [1, 8].flatMap((workers) => {
		const batch = OWN_TEXTS * workers;
		return [...of(workers, 5, batch), ...of(workers, 50, batch), ...of(workers, 20, batch, "medium")];
	});
	return [...sizes, ...others];
}

function fullCases(): FleetCase[] {
	return [1, 2, 4, 8, 16, LARGEST_FLEET].flatMap((workers) =>
		(["small", "medium"] as const).flatMap((size) =>
			[5, 20, 50].flatMap((gpuMs) =>
				[...new Set([OWN_TEXTS * workers, ALL_TEXTS])].flatMap((batch) =>
					[true, false].map((applies) => ({ size, workers, gpuMs, batch, applies })),
				),
			),
		),
	);
}

async function measureFleet(
	folder: string,
	workers: number,
	cases: readonly FleetCase[],
	{ log }: BenchContext,
): Promise<Map<FleetCase, FleetFigures>> {
	const found = new Map<FleetCase, FleetFigures>();
	const fleet = await Fleet.open(folder, workers);
	try {
		for (const one of cases) {
			const figures = await fleet.measure(one);
			found.set(one, figures);
			log(`${nameOf(one)}, applied: ${one.applies}: ${JSON.stringify(valuesOf(one, figures))}`);
		}
	} finally {
		await fleet.close();
	}
	return found;
}

function nameOf({ size, gpuMs, workers, batch }: FleetCase): string {
	return `${size}, ${gpuMs} ms, ${workers} worker${workers > 1 ? "s" : ""}, ${batch} texts`;
}

function tableOf(figures: ReadonlyMap<FleetCase, FleetFigures>, applies: boolean): Table {
	const own = [...figures].filter(([one]) => one.applies === applies);
	/** Steps per second of one worker in a run of the same kind. */
	const rateOfOne = (one: FleetCase, batch: number) => {
		const isBase = (other: FleetCase) =>
			other.workers === 1 && other.batch === batch && other.size === one.size && other.gpuMs === one.gpuMs;
		const base = own.find(([other]) => isBase(other));
		return base && rateOf(base[1]);
	};
	const rows = own.map(([one, found]): Row => {
		const { workers, batch, size, gpuMs } = one;
		const [ofOwn, ofAll] = [rateOfOne(one, OWN_TEXTS), rateOfOne(one, ALL_TEXTS)];
		const growing = batch === OWN_TEXTS * workers && ofOwn ? rateOf(found) / ofOwn : undefined;
		const fixed = batch === ALL_TEXTS && ofAll ? rateOf(found) / ofAll / workers : undefined;
		const values = {
			"efficiency, 8 texts each": growing ?? "",
			"efficiency, 64 in all": fixed ?? "",
			...valuesOf(one, found),
		};
		const isTarget = workers === 8 && size === "small" && gpuMs === 20 && fixed !== undefined;
		const aim = isTarget && { aim: "64 in all: at least 0.85", reached: fixed >= 0.85 };
		const refused = Object.entries(found.refusals).map(([reason, count]) => `${count} x ${reason}`);
		const note = refused.length > 0 && { note: `the coordinator refused ${refused.join(", ")}` };
		return { figure: nameOf(one), values, ...aim, ...note };
	});
	const title = applies ? "workers apply updates" : "without applying: workers only receive and check updates";
	return { title: `Fleet, last block, milliseconds for 8 texts; ${title}`, rows };
}

function rateOf({ stepMs, seconds }: FleetFigures): number {
	return stepMs.length / seconds;
}

function valuesOf({ workers }: FleetCase, found: FleetFigures): Record<string, number> {
	const { coordinator, coordinatorThread, nats, worker, bytes, updateLength, stepMs, firstSeconds, others } = found;
	const perCore = (coordinator + nats + workers * worker) / availableParallelism();
	const step = 1000 / rateOf(found);
	return {
		"steps/s": rateOf(found),
		"ms per step": median(stepMs),
		"CPU ms: coordinator": coordinator,
		"its JavaScript": coordinatorThread,
		"nats-server": nats,
		"one worker": worker,
		"all / cores": perCore,
		"of the step": perCore / step,
		"update MB": (updateLength * 4) / 1e6,
		"gRPC MB per worker": bytes.tensors / 1e6,
		"NATS kB per worker": bytes.bus / 1e3,
		"first step s": firstSeconds,
		"others' CPU": others,
	};
}
