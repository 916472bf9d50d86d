// Command protos writes a google.protobuf.FileDescriptorSet to standard output: the file named by the argument and all that it imports,
// imports first, as CometBFT's own code registers them. Options are left out, since they are gogoproto's advice to Go's generator; nothing
// of them reaches the wire.
package main

import (
	"fmt"
	"os"

	gogo "github.com/cosmos/gogoproto/proto"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	_ "github.com/cometbft/cometbft/abci/types"
)

const gogoOptions = "gogoproto/gogo.proto"

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: protos <path of a proto file, as imports name it>")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "protos:", err)
		os.Exit(1)
	}
}

func write(path string) error {
	file, err := gogo.HybridResolver.FindFileByPath(path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	set := &descriptorpb.FileDescriptorSet{}
	add(set, file, map[string]bool{gogoOptions: true})
	bytes, err := proto.MarshalOptions{Deterministic: true}.Marshal(set)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(bytes)
	return err
}

// add appends what file imports and then file itself, each once.
func add(set *descriptorpb.FileDescriptorSet, file protoreflect.FileDescriptor, seen map[string]bool) {
	if seen[file.Path()] {
		return
	}
	seen[file.Path()] = true
	imports := file.Imports()
	for i := range imports.Len() {
		add(set, imports.Get(i).FileDescriptor, seen)
	}
	plain := protodesc.ToFileDescriptorProto(file)
	plain.Options, plain.SourceCodeInfo = nil, nil
	kept := plain.Dependency[:0]
	for _, path := range plain.Dependency {
		if path != gogoOptions {
			kept = append(kept, path)
		}
	}
	plain.Dependency = kept
	clearEnums(plain.EnumType)
	clearMessages(plain.MessageType)
	for _, service := range plain.Service {
		service.Options = nil
		for _, method := range service.Method {
			method.Options = nil
		}
	}
	set.File = append(set.File, plain)
}

func clearMessages(messages []*descriptorpb.DescriptorProto) {
	for _, message := range messages {
		message.Options = nil
		for _, field := range message.Field {
			field.Options = nil
		}
		for _, oneof := range message.OneofDecl {
			oneof.Options = nil
		}
		clearEnums(message.EnumType)
		clearMessages(message.NestedType)
	}
}

func clearEnums(enums []*descriptorpb.EnumDescriptorProto) {
	for _, enum := range enums {
		enum.Options = nil
		for _, value := range enum.Value {
			value.Options = nil
		}
	}
}
