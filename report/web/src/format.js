// Figures as the C side writes them (core/units.c).

function rounded(v, unit) {
	return v < 9.95 && Math.floor(v * 10 + 0.5) % 10 ? `${v.toFixed(1)} ${unit}` : `${v.toFixed(0)} ${unit}`;
}

export function duration(ns) {
	if (ns < 999500)
		return rounded(ns / 1e3, 'us');
	if (ns < 999500000)
		return rounded(ns / 1e6, 'ms');
	if (ns < 119500000000)
		return rounded(ns / 1e9, 's');
	const s = Math.floor(ns / 1e9 + 0.5);
	return s % 60 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${s / 60} min`;
}

export function count(n) {
	return String(n).replace(/\B(?=(\d{3})+$)/g, ',');
}

export function plural(n, one, many) {
	return `${count(n)} ${n === 1 ? one : many}`;
}

export function percent(part, whole) {
	const p = whole > 0 ? 100 * part / whole : 0;
	return `${p.toFixed(p < 10 ? 1 : 0)} %`;
}

// "3:05", "1:00:07.5".
export function minutes(s, digits) {
	const hours = Math.floor(s / 3600), rest = (s % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, '0');
	const whole = Math.floor(s / 60) % 60;
	return hours ? `${hours}:${String(whole).padStart(2, '0')}:${rest}` : `${whole}:${rest}`;
}

// A time of the session: "2.314 s", "3:05.2".
export function clock(ns) {
	const s = ns / 1e9;
	return s < 120 ? `${s.toFixed(3)} s` : minutes(s, 1);
}
