// Pieces of regular expressions with the flag `v`.

/** Flags of countries within a state: an emoji and tags, which are not seen elsewhere. */
export const flag = String.raw`\p{RGI_Emoji_Tag_Sequence}`;

/**
 * Control characters, those that turn the order of what follows, and tags that are of no flag, by which a model can be told what no reader sees.
 */
export const obeyed = String.raw`[\p{Cc}\u202A-\u202E\u2066-\u2069\u{E0000}-\u{E007F}]`;

/**
 * What is obeyed, and what nobody sees. What joins letters and emoji, chooses between forms of one, or says which way a sign beside it is
 * read, belongs to what people write.
 */
export const unseen = String.raw`[[${obeyed}\p{Default_Ignorable_Code_Point}]--[\p{Join_Control}\p{Variation_Selector}\u061C\u200E\u200F]]`;
