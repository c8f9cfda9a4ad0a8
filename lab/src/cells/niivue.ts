// NiiVue, sent to the browser when somebody asks for 3D.
export { Niivue, NVImage } from '@niivue/niivue';
