// A worker that attaches, begins an upload, prints a line, and then waits to be killed.

import { ExchangeClientConstructor } from "../../../shared/exchange/tensor-service.ts";
import { createClient } from "../../../worker/exchange/client.ts";
import { connectTensors } from "../../../worker/exchange/grpc-worker-tensors.ts";
import { someChunk, someHeader } from "../../coordinator/exchange/raw-uploads.ts";

const [address = ""] = process.argv.slice(2);
await connectTensors(address, { workerId: "doomed" });
const client = await createClient(ExchangeClientConstructor, address);
const call = client.putAnswer(() => {});
call.write(someHeader(3));
call.write(someChunk(0, [1]), () => process.send?.("uploading"));
