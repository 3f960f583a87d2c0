// clang-tidy over the given sources, as many at a time as RLTUNE_JOBS says: tidy.mjs TREE FILE...
//
// Most of its time goes into the standard library's headers. So the sources of one target that share their flags are
// looked at together, in one generated translation unit; a source whose names clash with another's there, alone.
//
// What was clean is not looked at again until a source, a header of ours, the flags or .clang-tidy change: the cache
// holds an empty file named by the hash of all of these.
import { createHash } from 'node:crypto';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const [tree, ...wanted] = process.argv.slice(2);
const source = process.cwd();
const folder = fs.mkdtempSync(path.resolve(tree, 'tidy-'));
const cache = process.env.RLTUNE_CACHE ?? path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'rltune');
const clean = path.join(cache, 'tidy');
const keptDays = 30;
const togetherMax = 12;

// Flags that only GCC knows mean nothing to clang. What GCC has precompiled, clang reads as text, from a copy: beside
// the original lies GCC's own format.
function clangCommand(command) {
  return command
    .replace(/-include (\S*cmake_pch\S*)/g, (_, file) => {
      const copy = path.join(folder, path.relative(source, file).replaceAll('/', '_'));  // the same in every clone
      if (!fs.existsSync(copy)) fs.copyFileSync(file, copy);
      return `-include ${copy}`;
    })
    .replace(/-Winvalid-pch|-Wno-interference-size|-fconcepts\S*|-mprefer-vector-width=\d+|-fdiagnostics-color=\S*/g, '')
    .replace(/\s+/g, ' ');
}

const texts = new Map();
const read = (file) => {
  if (!texts.has(file)) texts.set(file, fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined);
  return texts.get(file);
};

// The source and every header of the tree that it includes, however deep.
function ownFiles(file, includeFolders, seen = new Set()) {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, name] of read(file).matchAll(/^\s*#\s*include\s*"([^"]+)"/gm)) {
    const found = [path.dirname(file), ...includeFolders].map((base) => path.join(base, name)).find((each) => read(each) !== undefined);
    if (found) ownFiles(found, includeFolders, seen);
  }
  return seen;
}

function keyOf({ command, files }) {
  const includeFolders = [...command.matchAll(/-(?:I|isystem )(\S+)/g)].map(([, each]) => each);
  const all = new Set();
  for (const file of files) ownFiles(file, includeFolders, all);
  const hash = createHash('sha256').update(version).update(read('.clang-tidy')).update(command.replaceAll(folder, '').replaceAll(source, ''));
  for (const [, file] of command.matchAll(/-include (\S+)/g)) hash.update(read(file));
  for (const file of [...all].sort()) hash.update(file.replace(source, '')).update('\0').update(read(file));
  return path.join(clean, hash.digest('hex'));
}

function forget(days) {
  for (const name of fs.readdirSync(clean)) {
    const file = path.join(clean, name);
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    if (stat && Date.now() - stat.mtimeMs > days * 86400e3) fs.rmSync(file, { force: true });
  }
}

// Sources of one target with the same flags.
function unitsOf(database, wanted) {
  const targets = new Map();
  const seen = new Set();
  for (const { file, output, command } of database) {
    if (!wanted.has(file) || seen.has(file)) continue;
    seen.add(file);
    const flags = clangCommand(command).replace(/ -o .*/, '');
    const target = output.replace(/\.dir\/.*/, '') + flags;
    if (!targets.has(target)) targets.set(target, { command: flags, files: [] });
    targets.get(target).files.push(file);
  }
  return [...targets.values()].flatMap(({ command, files }) => {
    const parts = Math.ceil(files.length / togetherMax);
    return Array.from({ length: parts }, (_, part) => ({ command, files: files.filter((_, index) => index % parts === part) }));
  });
}

function clangTidy(name, { command, files }) {
  let file = files[0];
  if (files.length > 1) {
    file = path.join(folder, `${name}.cpp`);
    fs.writeFileSync(file, files.map((each) => `#include "${each}"  // NOLINT(bugprone-suspicious-include)\n`).join(''));
  }
  const flags = command.split(' ').slice(1).map((each) => each.replaceAll('\\"', '"'));
  return new Promise((resolve) => {
    const child = spawn('clang-tidy-19', ['--quiet', `--config-file=${path.resolve('.clang-tidy')}`, file, '--', ...flags, '-Wno-unknown-warning-option'],
      { stdio: ['ignore', 'pipe', 'ignore'] });
    let out = '';
    child.stdout.on('data', (data) => (out += data));
    child.on('error', (error) => resolve([String(error)]));
    child.on('close', (code, signal) => resolve(code === 0 ? [] : out ? out.split(/\n(?=\S+:\d+:\d+: (?:error|warning))/) : [`${file}: clang-tidy ended with ${signal ?? code}`]));
  });
}

// The complaints about a unit. Whatever does not compile beside the others is looked at alone.
async function tidy(name, unit) {
  const found = await clangTidy(name, unit);
  const broken = new Set(found.filter((each) => each.includes('[clang-diagnostic-error]')).map((each) => each.split(':')[0]));
  const crashed = found.length > 0 && !/^\S+:\d+:\d+:/.test(found[0]);
  if (unit.files.length === 1 || (broken.size === 0 && !crashed)) return found;
  const alone = unit.files.filter((file) => crashed || broken.has(file));
  const together = unit.files.filter((file) => !alone.includes(file));
  if (alone.length === 0) alone.push(...together.splice(0));
  const rest = together.length > 0 ? await tidy(`${name}_`, { command: unit.command, files: together }) : [];
  for (const file of alone) rest.push(...(await clangTidy(name, { command: unit.command, files: [file] })));
  return rest;
}

const version = execFileSync('clang-tidy-19', ['--version'], { encoding: 'utf8' });
process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));
fs.mkdirSync(clean, { recursive: true });
const database = JSON.parse(fs.readFileSync(path.join(tree, 'compile_commands.json'), 'utf8'));
const units = unitsOf(database, new Set(wanted.map((file) => path.resolve(file))));
const queue = units.map((unit, index) => ({ unit, name: `unit_${index}`, key: keyOf(unit) })).filter(({ key }) => {
  if (!fs.existsSync(key)) return true;
  fs.utimesSync(key, new Date(), new Date());
  return false;
});
const count = queue.reduce((sum, { unit }) => sum + unit.files.length, 0);
const total = units.reduce((sum, { files }) => sum + files.length, 0);
console.error(`dev: clang-tidy on ${count} files${count < total ? `; ${total - count} are known to be clean` : ''}`);
const complaints = new Set();
await Promise.all(Array.from({ length: Number(process.env.RLTUNE_JOBS ?? os.availableParallelism()) }, async () => {
  for (let job; (job = queue.shift()); ) {
    const started = Date.now();
    const found = await tidy(job.name, job.unit);
    if (process.env.RLTUNE_TIDY_TIMES) console.error(`${((Date.now() - started) / 1000).toFixed(1)} s  ${job.unit.files.map((file) => path.relative(source, file)).join(' ')}`);
    if (found.length === 0) fs.writeFileSync(job.key, '');
    for (const complaint of found.map((each) => each.trimEnd())) {
      if (!complaints.has(complaint)) console.error(complaint);
      complaints.add(complaint);
    }
  }
}));
forget(keptDays);
process.exitCode = complaints.size > 0 ? 1 : 0;
