import { readData } from './data.js';

const columns = await readData(document.getElementById('data').textContent);
document.documentElement.dataset.stalls = columns['stall.start'].length;
