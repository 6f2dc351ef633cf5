/** Colours for code: comments, strings, numbers and the words of the language. Good enough to read by, and small. */

const WORDS = {
  python: "and as assert async await break case class continue def del elif else except finally for from global if import in is lambda match nonlocal not or pass raise return try while with yield True False None self",
  js: "async await break case catch class const continue debugger default delete do else export extends finally for from function if import in instanceof interface let new of return static super switch this throw try type typeof var void while with yield true false null undefined enum implements private public readonly as",
  rust: "as async await break const continue crate dyn else enum extern fn for if impl in let loop match mod move mut pub ref return self Self static struct super trait type unsafe use where while true false",
  go: "break case chan const continue default defer else fallthrough for func go goto if import interface map package range return select struct switch type var true false nil",
  c: "auto bool break case catch char class const constexpr continue default delete do double else enum explicit extern final float for friend goto if inline int long namespace new noexcept nullptr operator override private protected public return short signed sizeof static struct switch template this throw try typedef typename union unsigned using virtual void volatile while true false null import package extends implements interface abstract synchronized throws var val fun when",
  shell: "if then else elif fi for in do done while until case esac function return local export readonly declare set unset exit trap source echo cd sudo",
  sql: "select from where and or not insert into values update set delete create table index view drop alter add primary key foreign references join left right inner outer on as group by order having limit offset union all distinct null is in between like exists case when then else end begin commit rollback",
  ruby: "begin break case class def do else elsif end ensure false for if in module next nil not or redo rescue retry return self super then true undef unless until when while yield require",
  config: "true false null yes no on off",
};
const FAMILY = {
  py: "python", python: "python", python3: "python", pyi: "python",
  js: "js", jsx: "js", ts: "js", tsx: "js", javascript: "js", typescript: "js", mjs: "js", cjs: "js",
  rs: "rust", rust: "rust", go: "go", golang: "go",
  c: "c", h: "c", cpp: "c", cc: "c", hpp: "c", java: "c", kt: "c", kotlin: "c", cs: "c", csharp: "c", swift: "c", scala: "c", dart: "c", php: "c", css: "c", scss: "c",
  sh: "shell", bash: "shell", zsh: "shell", shell: "shell", console: "shell", fish: "shell", dockerfile: "shell", makefile: "shell", make: "shell",
  sql: "sql", rb: "ruby", ruby: "ruby",
  json: "config", jsonc: "config", yaml: "config", yml: "config", toml: "config", ini: "config",
};
const HASH = new Set(["python", "shell", "ruby", "config"]);
const LONGEST = 60_000;

/** @type {Map<string, {pattern: RegExp, words: Set<string>, fold: boolean}>} */
const grammars = new Map();

/** @param {string} family */
function grammar(family) {
  let made = grammars.get(family);
  if (!made) {
    const comment = HASH.has(family) ? "#[^\\n]*" : family === "sql" ? "--[^\\n]*|/\\*[^]*?(?:\\*/|$)" : "//[^\\n]*|/\\*[^]*?(?:\\*/|$)";
    const long = family === "python" ? `"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|` : family === "js" || family === "go" ? "`(?:\\\\.|[^`\\\\])*(?:`|$)|" : "";
    const string = `${long}"(?:\\\\.|[^"\\\\\\n])*(?:"|$|(?=\\n))|'(?:\\\\.|[^'\\\\\\n])*(?:'|$|(?=\\n))`;
    made = {
      pattern: new RegExp(`(${comment})|(${string})|(\\b(?:0[xob][\\da-fA-F_]+|\\d[\\d_]*(?:\\.\\d+)?(?:[eE][+-]?\\d+)?)\\b)|([A-Za-z_$][\\w$]*)(\\s*\\()?`, "g"),
      words: new Set(/** @type {any} */ (WORDS)[family].split(" ")),
      fold: family === "sql",
    };
    grammars.set(family, made);
  }
  return made;
}

/** @param {string} text @param {string} language @returns {{kind: string, text: string}[]} pieces that join to `text` */
export function highlight(text, language) {
  if (language === "diff" || language === "patch") return changes(text);
  const family = /** @type {any} */ (FAMILY)[language.toLowerCase()];
  if (!family || text.length > LONGEST) return [{ kind: "", text }];
  const { pattern, words, fold } = grammar(family);
  /** @type {{kind: string, text: string}[]} */
  const found = [];
  let last = 0;
  for (const match of text.matchAll(pattern)) {
    const [, comment, string, number, word, call] = match;
    const kind = comment !== undefined ? "comment" : string !== undefined ? "string" : number !== undefined ? "number"
      : words.has(fold ? word.toLowerCase() : word) ? "keyword" : call !== undefined ? "call" : "";
    if (!kind) continue;
    const whole = word ?? match[0];
    if (match.index > last) found.push({ kind: "", text: text.slice(last, match.index) });
    found.push({ kind, text: whole });
    last = match.index + whole.length;
  }
  if (last < text.length) found.push({ kind: "", text: text.slice(last) });
  return found;
}

/** @param {string} text */
function changes(text) {
  return text.split(/(?<=\n)/).map((line) => ({
    kind: line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : line.startsWith("@@") ? "comment" : "",
    text: line,
  }));
}
