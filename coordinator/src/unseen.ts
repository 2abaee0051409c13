/**
 * Control characters, those that turn the order of what follows, and those that nobody sees. What joins letters and emoji, or chooses between
 * forms of one, belongs to what people write. For regular expressions with the flag `v`.
 */
export const unseen = String.raw`[[\p{Cc}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}]--[\p{Join_Control}\p{Variation_Selector}]]`;
