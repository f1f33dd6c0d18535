// go run . HOST:PORT PROTO_FOLDER "a text"
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/jhump/protoreflect/desc/protoparse"
	"github.com/jhump/protoreflect/dynamic"
	"github.com/jhump/protoreflect/dynamic/grpcdynamic"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

func main() {
	address, protoFolder, text := os.Args[1], os.Args[2], os.Args[3]
	files, err := protoparse.Parser{ImportPaths: []string{protoFolder}}.ParseFiles("tailtune/v1/classifier.proto")
	check(err)
	method := files[0].FindService("tailtune.v1.Classifier").FindMethodByName("Classify")
	request := dynamic.NewMessage(method.GetInputType())
	request.SetFieldByName("text", text)
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	check(err)
	limited, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	answer, err := grpcdynamic.NewStub(connection).InvokeRpc(limited, method, request)
	check(err)
	classification := answer.(*dynamic.Message).GetFieldByName("classification").(*dynamic.Message)
	fmt.Println(classification.GetFieldByName("label"))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
