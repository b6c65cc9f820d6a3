/**
 * Chinese for the words that the API sends in English with a working: labels, formulas, notes. What is not listed is shown as
 * sent; `test/phrases.test.ts` holds this list to the API's own source.
 */

export const PHRASES: Readonly<Record<string, string>> = {
  'grid import': '下网电量',
  'grid export': '上网电量',
  generation: '光伏发电',
  charge: '储能充电',
  discharge: '储能放电',
  fuel: '燃料',
  'purchased heat': '外购热力',
  '15 min avg': '15 分钟均值',
  'emission rate': '碳排放率',
  emission: '碳排放',
  electricity: '电力',
  gas: '天然气',
  heat: '热力',
  'location-based': '基于位置',
  'market-based': '基于市场',
  NCV: '低位发热量',
  HHV: '高位发热量',
  'grid factor now': '当前电网因子',
  'gas factor now': '当前天然气因子',
  cost: '购电费用',
  load: '用电量',
  'self-sufficiency': '自给率',
  'market-based total': '基于市场合计',
  'measured hours': '实测表时',
  'expected hours': '应测表时',
  'grid import × grid factor + gas × gas factor + heat × heat factor':
    '下网功率 × 电网因子 + 天然气 × 天然气因子 + 热力 × 热力因子',
  'import - export + generation + discharge - charge': '下网 − 上网 + 光伏发电 + 放电 − 充电',
  'import - export + generation + discharge - charge, in kWh since local midnight':
    '下网 − 上网 + 光伏发电 + 放电 − 充电，自当地零点起累计，kWh',
  'sum over intervals of amount × location-based factor; scope 1 gas, scope 2 electricity and heat':
    '逐区间求和：活动数据 × 基于位置的因子；范围一为天然气，范围二为电力与热力',
  '(generation - export) ÷ generation; self-sufficiency = (generation - export) ÷ load':
    '光伏自用率 =（发电 − 上网）÷ 发电；自给率 =（发电 − 上网）÷ 用电量',
  'measured ÷ expected meter-hours since local midnight': '实测表时 ÷ 应测表时，自当地零点起',
  'live and indicative; accumulated figures come from 15-minute intervals':
    '实时值，仅供参考；累计值只取自 15 分钟区间',
  'a slow meter enters with the mean of its newest interval (15 min avg)':
    '慢速表以其最新区间的均值计入（15 分钟均值）',
  'sum of 15-minute intervals since local midnight, the running one included':
    '自当地零点起的 15 分钟区间之和，含进行中的区间',
  'a reading is due once its period is over; interpolated and substituted time does not count as measured':
    '读数在其周期结束后才算应测；插值与替代的时段不计入实测',
};

/** The phrase in Chinese; of a phrase with commas, each known part. */
/** Sentences of the books that carry names and numbers: a pattern and how it reads in Chinese. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/^(\S+) describes (\d+), not (\d+)$/, '$1 为 $2 年数据，不是 $3 年'],
  [/^gas: calorific value by (\S+), carbon by (\S+) \((.+)\)$/, '天然气：热值取自 $1，含碳量取自 $2（$3）'],
  [/^no value for (.+): (\S+) of (.+) is used$/, '$1 没有数值：采用 $3 的 $2'],
  [/^market-based remainder: (\S+), data year (\d+)$/, '基于市场的剩余电量因子：$1，数据年份 $2'],
  [/^(\S+) comes from files: it is not in this live figure$/, '$1 由文件导入：不计入本实时值'],
  [
    /^(\S+) comes from files and no live meter shows its flow: this figure is unknown between files$/,
    '$1 由文件导入，且该能流没有在线表计：两次导入之间本值未知',
  ],
  [/^(\S+) is unverified$/, '$1 未核实'],
  [/^electricity: CO2 only \(source limitation\)$/, '电力仅含 CO₂（来源所限）'],
  [/^covered by certificates cancelled for this consumption$/, '由为本次用电核销的绿证覆盖'],
  [/^(\S+) kWh exported are not netted against purchases$/, '上网 $1 kWh 不抵减外购电量'],
  [/^some entries are simulated: not for use outside a demonstration$/, '部分录入为仿真数据：仅供演示'],
  [/^held, not cancelled for (.+)$/, '持有中，未为 $1 核销'],
];

export function phrase(text: string): string {
  const whole = PHRASES[text];
  if (whole !== undefined) return whole;
  for (const [pattern, reads] of PATTERNS) if (pattern.test(text)) return text.replace(pattern, reads);
  const parts = text.split(', ');
  return parts.length > 1 && parts[0] !== undefined && PHRASES[parts[0]] !== undefined
    ? parts.map((part) => PHRASES[part] ?? part).join('，')
    : text;
}
