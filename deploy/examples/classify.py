"""pip install grpcio grpcio-tools; python classify.py HOST:PORT PROTO_FOLDER "a text"."""
import os
import sys

import grpc

address, proto_folder, text = (sys.argv[1:] + ["localhost:50051", "proto", "You won!"][len(sys.argv) - 1:])[:3]
sys.path.insert(0, proto_folder)  # grpc searches .proto files in sys.path
messages, services = grpc.protos_and_services("tailtune/v1/classifier.proto")

token = os.environ.get("TOKEN")
metadata = [("authorization", f"Bearer {token}")] if token else []
with grpc.insecure_channel(address) as channel:
    classifier = services.ClassifierStub(channel)
    request = messages.ClassifyRequest(text=text, truncate=True)
    try:
        answer = classifier.Classify(request, timeout=5, metadata=metadata)
    except grpc.RpcError as error:
        sys.exit(error.details())
print(answer.classification.label)
