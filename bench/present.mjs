// Figures as people read them.
export function number(value) {
  if (value === 0) return "0";
  if (Number.isInteger(value) && Math.abs(value) < 1000) return String(value);
  if (Math.abs(value) >= 1e6) return `${(value / 1e6).toPrecision(3)} M`;
  if (Math.abs(value) >= 1e4) return `${(value / 1e3).toPrecision(3)} k`;
  if (Math.abs(value) >= 1000) return value.toFixed(0);
  return value.toPrecision(3);
}

export function spread(row) {
  return row.low === undefined || row.low === row.high ? "" : `${number(row.low)} to ${number(row.high)}`;
}

// Whether the bound, if there is one, is kept: at most, or with `least` at least.
export function kept(row) {
  if (row.bound === undefined) return true;
  return row.least ? row.value >= row.bound : row.value <= row.bound;
}
