import { init } from 'echarts';
import { budgets, type Recall, ways } from '../../test/context/measure.ts';

const shown = [
  { name: 'the answer to the question', of: ({ answered }: Recall) => answered },
  { name: 'all constraints and numbers', of: ({ carried }: Recall) => carried },
];

/** Two plots beside each other, in SVG: recall by budget, a line for each way. */
export function drawRecall(recalls: readonly Recall[]): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 860, height: 360 });
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    color: ['#0b6bcb', '#b3b3b3', '#7a7a7a', '#d9822b', '#8fc1f0'],
    legend: { bottom: 0, data: [...ways] },
    title: shown.map(({ name }, index) => ({ text: name, left: `${27 + index * 49}%`, textAlign: 'center', textStyle: { fontSize: 14 } })),
    grid: shown.map((_, index) => ({ left: `${6 + index * 49}%`, width: '42%', top: 50, bottom: 80 })),
    xAxis: shown.map((_, gridIndex) => ({
      gridIndex,
      type: 'category',
      data: budgets.map((budget) => budget.toLocaleString('en')),
      name: 'tokens',
      nameLocation: 'middle',
      nameGap: 28,
    })),
    yAxis: shown.map((_, gridIndex) => ({ gridIndex, type: 'value', min: 0, max: 100, axisLabel: { formatter: '{value} %' } })),
    series: shown.flatMap(({ of }, index) =>
      ways.map((name) => ({
        name,
        type: 'line',
        xAxisIndex: index,
        yAxisIndex: index,
        symbolSize: 7,
        data: recalls.filter(({ way }) => way === name).map((recall) => Math.round(of(recall) * 100)),
      })),
    ),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg}\n`;
}
