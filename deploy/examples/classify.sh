#!/bin/sh
# go install github.com/fullstorydev/grpcurl/cmd/grpcurl@latest; ./classify.sh HOST:PORT "a text"
# No .proto file is needed: the server describes its interface by reflection.
set -eu
address=${1:-localhost:50051}
text=${2:-You won!}
request=$(printf '%s' "$text" | sed 's/\\/\\\\/g; s/"/\\"/g')
grpcurl -plaintext -max-time 5 ${TOKEN:+-H "authorization: Bearer $TOKEN"} \
	-d "{\"text\": \"$request\", \"truncate\": true}" "$address" tailtune.v1.Classifier/Classify |
	sed -n 's/^    "label": "\(.*\)",$/\1/p' | head -n 1
