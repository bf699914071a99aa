/** A multi-document transaction of a session. */
export class Transaction {
  abort(): void {}
}
