import { render } from 'preact';
import { watchAlarms } from './lib/alarmdoor';
import { loadPreferences } from './lib/prefs';
import { start } from './lib/store';
import './styles/index.css';
import { App } from './ui/app';

loadPreferences();
const root = document.getElementById('app');
if (root) render(<App />, root);
watchAlarms();
void start();
