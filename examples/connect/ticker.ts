import { create, createFileRegistry, type DescService } from '@bufbuild/protobuf';
import type { GenService } from '@bufbuild/protobuf/codegenv2';
import {
  FileDescriptorProtoSchema,
  file_google_protobuf_wrappers as wrappers,
  type Int32ValueSchema,
  type StringValueSchema,
} from '@bufbuild/protobuf/wkt';

type Methods = {
  greet: { methodKind: 'unary'; input: typeof StringValueSchema; output: typeof StringValueSchema };
  count: { methodKind: 'server_streaming'; input: typeof Int32ValueSchema; output: typeof Int32ValueSchema };
};

const TEXT = '.google.protobuf.StringValue';
const NUMBER = '.google.protobuf.Int32Value';
const file = create(FileDescriptorProtoSchema, {
  name: 'ticker.proto',
  package: 'example',
  syntax: 'proto3',
  dependency: [wrappers.proto.name],
  service: [
    {
      name: 'Ticker',
      method: [
        { name: 'Greet', inputType: TEXT, outputType: TEXT },
        { name: 'Count', inputType: NUMBER, outputType: NUMBER, serverStreaming: true },
      ],
    },
  ],
});
const registry = createFileRegistry(file, () => wrappers.proto);

/** What protoc-gen-es would make of `service Ticker`. */
export const Ticker = registry.getService('example.Ticker') as DescService as GenService<Methods>;
