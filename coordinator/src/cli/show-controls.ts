const control = /\p{Cc}(?:\[(?:0|1|2|22|3\d|9\d)m)?/gu;

/**
 * A text as a terminal may have it: what others wrote neither moves the cursor nor hides anything. Colours, tabs and breaks of lines stay;
 * any other control character is shown as JSON writes it, so that JSON stays the same value.
 */
export const showControls = (text: string): string =>
  text.replace(control, (found) => {
    const [character = ''] = found;
    const isColour = character === '\u001B' && found.length > 1;
    return isColour || character === '\n' || character === '\t' ? found : `${toEscape(character)}${found.slice(1)}`;
  });

const toEscape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
