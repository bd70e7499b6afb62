export { Scrolled } from "@/components/Scrolled";
