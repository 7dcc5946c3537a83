/** What a run needs of any tokeniser, whatever its vocabulary. */
export interface TextEncoding {
  /** Token ids [T], framed, padded on the right. */
  ids: Int32Array
  /** 1 for real tokens, 0 for padding [T]. */
  attentionMask: Uint8Array
  /** Number of real tokens, frame included. */
  tokenCount: number
  /** Number of tokens the whole text would have needed. */
  fullTokenCount: number
  isTruncated: boolean
}

export interface TextTokenizer {
  /** Framed, cut and padded ids; without `maxLength` neither cut nor padded. Throws RangeError when it leaves no room for the frame. */
  encode(text: string, options?: { maxLength?: number }): TextEncoding
  /** The frame alone: the text that stands for a missing one. */
  readonly emptyText: Int32Array
  /** Ids are below this number. */
  readonly vocabularySize: number
}
