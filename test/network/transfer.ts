// Measures the network between two hosts. `receive` reads each connection to its end; `send HOST BYTES` prints the
// milliseconds to connect, and then to send so many bytes until the receiver has all of them.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { performance } from "node:perf_hooks";

const PORT = 5000;
const [mode, host = "", bytes = ""] = process.argv.slice(2);
if (mode === "receive") {
	const server = createServer((socket) => void socket.resume().on("end", () => socket.end()));
	server.listen(PORT, () => console.log("listening"));
} else {
	const beganMs = performance.now();
	const socket = connect(PORT, host);
	await once(socket, "connect");
	const connectedMs = performance.now();
	socket.resume().end(Buffer.alloc(Number(bytes)));
	await once(socket, "end");
	console.log(JSON.stringify({ connectMs: connectedMs - beganMs, transferMs: performance.now() - connectedMs }));
}
