// Times as the courier reads them.
import { time } from "../../format.js";
import { language, told } from "../../told.js";

const day = new Intl.DateTimeFormat(language === "vi" ? "vi" : "en-GB", { timeZone: told.timezone, day: "numeric", month: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });

export const clock = (iso) => time(iso);
export const dayAndTime = (iso) => day.format(new Date(iso));
