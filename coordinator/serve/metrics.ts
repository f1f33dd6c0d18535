import { status as Status } from "@grpc/grpc-js";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { REFUSALS, type RefusalReason } from "../../shared/rpc/refusal.ts";
import { toStatus } from "../../shared/rpc/status.ts";
import type { ServedModel } from "./served-model.ts";

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const TEXTS = [1, 2, 4, 8, 16, 32, 64, 128];

/** Name of a gRPC status, as in "RESOURCE_EXHAUSTED". */
export type StatusName = keyof typeof Status;

/** What Prometheus is shown. */
export class ServeMetrics {
	readonly #registry = new Registry();
	readonly #requests: Counter<"method" | "code">;
	readonly #seconds: Histogram<"method">;
	readonly #batches: Histogram;
	readonly #tokens: Counter;
	readonly #models: Counter<"outcome">;

	/** @param models those in use, the one served first */
	constructor(models: () => Iterable<ServedModel>) {
		const registers = [this.#registry];
		this.#requests = new Counter({
			name: "tailtune_requests_total",
			help: "Calls by method and gRPC status; HTTP counts as Classify",
			labelNames: ["method", "code"],
			registers,
		});
		this.#seconds = new Histogram({
			name: "tailtune_request_seconds",
			help: "Seconds until a call that succeeded was answered",
			labelNames: ["method"],
			buckets: SECONDS,
			registers,
		});
		this.#batches = new Histogram({
			name: "tailtune_batch_texts",
			help: "Texts computed together",
			buckets: TEXTS,
			registers,
		});
		this.#tokens = new Counter({ name: "tailtune_tokens_total", help: "Tokens sent to be computed", registers });
		this.#models = new Counter({
			name: "tailtune_models_total",
			help: "Models of the run that were loaded or refused",
			labelNames: ["outcome"],
			registers,
		});
		const gauge = (name: string, help: string, value: (model: ServedModel) => number, sum: (of: number[]) => number) =>
			new Gauge({
				name,
				help,
				registers,
				collect() {
					this.set(sum([...models()].map(value)));
				},
			});
		gauge(
			"tailtune_queue_texts",
			"Texts that wait for their turn",
			(model) => model.queued,
			(of) => of.reduce((a, b) => a + b, 0),
		);
		gauge(
			"tailtune_workers",
			"Workers that compute",
			(model) => model.lanes.workers,
			(of) => Math.max(0, ...of),
		);
		gauge(
			"tailtune_models",
			"Models that answer: the one served, and older ones that still do",
			() => 1,
			(of) => of.length,
		);
		collectDefaultMetrics({ register: this.#registry });
	}

	/** A batch was sent. */
	batch(texts: number, tokens: number): void {
		this.#batches.observe(texts);
		this.#tokens.inc(tokens);
	}

	/** A model of the run was looked at. */
	model(outcome: "loaded" | "refused"): void {
		this.#models.inc({ outcome });
	}

	/** A call was refused before its method was looked at. */
	refused(reason: RefusalReason): void {
		this.#requests.inc({ method: "", code: Status[REFUSALS[reason].status] });
	}

	/** A call ended. @param error what it ended with, undefined where it succeeded */
	call(method: string, seconds: number, error?: unknown): StatusName {
		const code = error === undefined ? "OK" : (Status[toStatus(error).code] as StatusName);
		this.#requests.inc({ method, code });
		if (code === "OK") this.#seconds.observe({ method }, seconds);
		return code;
	}

	/** In Prometheus's text format, with its content type. */
	async text(): Promise<{ type: string; body: string }> {
		return { type: this.#registry.contentType, body: await this.#registry.metrics() };
	}
}
