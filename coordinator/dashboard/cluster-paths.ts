import type { Hono, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { z } from "zod";
import { onlyJson } from "../http/http-checks.ts";
import { parseJsonBody } from "../http/parse-json-body.ts";
import type { LiveCluster } from "./live-cluster.ts";
import type { PageEnv } from "./page-app.ts";

const MOST_BYTES = 1000;

const cancelSchema = z.strictObject({ run: z.string() });

/** Adds `GET /cluster`, the runs and workers of a cluster or null if there is none, and `POST /cluster/cancel`. */
export function addClusterPaths(
	app: Hono<PageEnv>,
	isAllowed: MiddlewareHandler,
	cluster: Pick<LiveCluster, "list" | "cancel"> | undefined,
): void {
	app.get("/cluster", isAllowed, async (context) => context.json(cluster ? await cluster.list() : null));
	if (!cluster) return;
	app.post("/cluster/cancel", isAllowed, onlyJson, bodyLimit({ maxSize: MOST_BYTES }), async (context) => {
		await cluster.cancel(parseJsonBody(await context.req.arrayBuffer(), cancelSchema).run);
		return context.json({});
	});
}
