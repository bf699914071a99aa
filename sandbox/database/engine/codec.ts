/** BSON in and out of documents; see the modules for the rules. */
export { decode, regExp } from "./decode.ts";
export { encode } from "./encode.ts";
export { fromObject, toObject, toPlain } from "./plain-object.ts";
