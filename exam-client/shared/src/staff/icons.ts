// 24x24 outlines beside those of ../icons.ts, for the staff's pages.
export const soundOff = "M4 9v6h4l5 4V5L8 9zM17 9.5l5 5M22 9.5l-5 5";
export const battery = "M3 8h15v8H3zM18 11h3v2h-3M6 11v2";
export const up = "M12 19V6M6 12l6-6 6 6";
export const down = "M12 5v13M6 12l6 6 6-6";
export const copy = "M9 9h11v12H9zM5 15H4V3h11v2";
export const printer = "M7 8V3h10v5M7 17H4V9h16v8h-3M7 14h10v7H7z";
export const book = "M5 4h11a3 3 0 013 3v13H8a3 3 0 01-3-3zM5 17a3 3 0 013-3h11";
export const list = "M8 6h12M8 12h12M8 18h12M4 6v.01M4 12v.01M4 18v.01";
export const calendar = "M4 6h16v14H4zM4 10.5h16M8 3v4M16 3v4";
export const seal = "M12 14a5 5 0 100-10 5 5 0 000 10zM9 13.5L7.5 21l4.5-2.5 4.5 2.5L15 13.5";
export const home = "M4 11l8-7 8 7M6 9.5V20h12V9.5M10 20v-5h4v5";
export const office = "M4 21V4h10v17M14 9h6v12M3 21h18M7.5 8h3M7.5 12h3M7.5 16h3M17 13v.01M17 17v.01";
export const plan = "M5 3h14v18H5zM9 8h6M9 12h6M9 16h3";
export const play = "M7 4.5v15l12-7.5z";
export const people = "M9 11a3.5 3.5 0 100-7 3.5 3.5 0 000 7zM3 20c0-3.5 2.7-6 6-6s6 2.5 6 6M16 4.5a3.5 3.5 0 010 6.5M17 14c2.4.6 4 2.9 4 6";
export const key = "M8 15a4 4 0 100-8 4 4 0 000 8zM12 11h9v3M17 11v3";
