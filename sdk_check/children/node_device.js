// Everything that the Node SDK can do, against the simulator: `node node_device.js CONFIG.json`.
// The SDK is used as in its manual; each feature is reported as a line of JSON.
'use strict';

const crypto = require('crypto');
const fs = require('fs');
const iot = require('alibabacloud-iot-device-sdk');

const CONFIG = JSON.parse(fs.readFileSync(process.argv[2], 'utf-8'));
const { plain, tls } = CONFIG;
const TIMEOUT = 10000;
const BROKER = `mqtt://127.0.0.1:${plain.port}/`;

function report(feature, passed, detail = '') {
  process.stdout.write(`${JSON.stringify({ feature, passed, detail })}\n`);
}

async function check(feature, run) {
  try {
    await run();
    report(feature, true);
  } catch (error) {
    report(feature, false, `${error.message} (${(error.stack || '').split('\n')[1]})`);
  }
}

function expect(result, expected) {
  const [got, wanted] = [JSON.stringify(result), JSON.stringify(expected)];
  if (got !== wanted) throw new Error(`${got} instead of ${wanted}`);
}

// The result of a function that takes a callback, within the time limit.
function within(start, what = 'an answer') {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what} did not come`)), TIMEOUT);
    const done = (end) => (value) => {
      clearTimeout(timer);
      end(value);
    };
    start(done(resolve), done(reject));
  });
}

async function eventually(condition) {
  const until = Date.now() + TIMEOUT;
  while (Date.now() < until) {
    const result = await condition();
    if (result) return result;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it did not happen');
}

async function call(action, fields, productKey = CONFIG.product_key) {
  const body = new URLSearchParams({ Action: action, ProductKey: productKey, ...fields });
  const answer = await (await fetch(plain.api, { method: 'POST', body })).json();
  if (!answer.Success) throw new Error(`${action}: ${answer.Code} ${answer.ErrorMessage}`);
  return answer;
}

async function notes(device) {
  const wire = await (await fetch(`${plain.api}wire`)).json();
  return wire.filter((message) => message.device === device && message.note).map((message) => message.note);
}

function triple(deviceName, options = {}) {
  const { product_key: productKey, secret: deviceSecret } = CONFIG;
  return { productKey, deviceName, deviceSecret, brokerUrl: BROKER, ...options };
}

function lamp(deviceName, deviceSecret = CONFIG.sub_secret) {
  return { productKey: CONFIG.sub_key, deviceName, deviceSecret };
}

// A connected device whose subscriptions the simulator knows.
async function connected(options, make = iot.device) {
  const device = make(options);
  await within((resolve, reject) => device.once('connect', resolve).once('error', reject), 'the connection');
  await subscribed(device);
  return device;
}

let barriers = 0;

// Wait until the subscriptions that are on their way have arrived: another one comes after them.
function subscribed(device) {
  const { productKey, deviceName } = device.model;
  const topic = `/${productKey}/${deviceName}/user/barrier${(barriers += 1)}`;
  return within((resolve) => device.subscribe(topic, resolve), 'the subscription');
}

async function status(deviceName, productKey) {
  return (await call('GetDeviceStatus', { DeviceName: deviceName }, productKey)).Data.Status;
}

// The outcome of the newest command with an identifier, once the device has answered.
async function outcome(DeviceName, Identifier, productKey) {
  const text = await eventually(async () => {
    const answer = await call('QueryDeviceServiceData', { DeviceName, Identifier, PageSize: 1 }, productKey);
    return answer.Data.List.ServiceInfo[0]?.OutputData;
  });
  return JSON.parse(text);
}

function next(device, topic) {
  return within((resolve) => {
    const receive = (got, payload) => {
      if (got === topic) {
        device.removeListener('message', receive);
        resolve(payload);
      }
    };
    device.on('message', receive);
  }, `a message on ${topic}`);
}

const base64 = (text) => Buffer.from(text).toString('base64');

async function connects(deviceName, options = {}) {
  const device = await connected(triple(deviceName, options));
  expect(device.connected, true);
  device.end(true);
}

async function wrongSecret() {
  const device = iot.device(triple('js-wrong', { deviceSecret: 'wrong' }));
  const [error] = await within((resolve) => device.once('error', resolve), 'the refusal');
  expect(error.code, 4);
  device.end(true);
}

async function cleanSession0() {
  const first = await connected(triple('js-session'));
  const topic = `/${CONFIG.product_key}/js-session/user/get`;
  await within((resolve) => first.subscribe(topic, { qos: 1 }, resolve));
  first.end(true);
  await eventually(async () => (await status('js-session')) === 'OFFLINE');
  await call('Pub', { TopicFullName: topic, MessageContent: base64('kept'), Qos: 1 });
  const second = iot.device(triple('js-session'));
  expect((await next(second, topic)).toString(), 'kept');
  second.end(true);
}

async function reconnects() {
  const device = await connected(triple('js-again'));
  const body = JSON.stringify({ drop_connection: `${CONFIG.product_key}/js-again` });
  const again = within((resolve) => device.once('connect', resolve), 'the second connection');
  await fetch(`${plain.api}faults`, { method: 'POST', body });
  await again;
  expect(await status('js-again'), 'ONLINE');
  device.end(true);
}

async function propertyPost(device) {
  const reply = await within((resolve) => device.postProps({ Brightness: 80, TargetTemperature: 21 }, resolve));
  expect([reply.code, reply.data], [200, {}]);
  const refused = await within((resolve) => device.postProps({ Nope: 1 }, resolve));
  expect(Object.keys(refused.data), ['Nope']);
}

async function eventPost(device) {
  const reply = await within((resolve) => device.postEvent('SceneActivated', { SceneName: 'night' }, resolve));
  expect(reply.code, 200);
}

async function propertySet(device) {
  const request = within((resolve) => device.onProps(resolve));
  await call('SetDeviceProperty', { DeviceName: 'js-model', Items: '{"LightSwitch":1}' });
  const { id, params } = await request;
  expect(params, { LightSwitch: 1 });
  // The SDK leaves the reply to its user.
  device.publish(`${device.model.ONSET_PROPS_TOPIC}_reply`, JSON.stringify({ id, code: 200, data: {} }));
  expect((await outcome('js-model', 'set')).code, 200);
}

async function asynchronousService(device) {
  device.onService('RunScene', (request, reply) => reply({ id: request.id, code: 200, data: {} }));
  await subscribed(device);
  await call('InvokeThingService', { DeviceName: 'js-model', Identifier: 'RunScene', Args: '{"SceneName":"night"}' });
  expect((await outcome('js-model', 'RunScene')).code, 200);
}

async function synchronousService(device) {
  device.onService('ReadMeter', (request, reply) => reply({ id: request.id, code: 200, data: { Energy: 2 } }, 'sync'));
  const answer = await call('InvokeThingService', { DeviceName: 'js-model', Identifier: 'ReadMeter', Args: '{"Channel":1}' });
  expect(answer.Data.Result, '{"Energy":2}');
}

async function userTopics(device) {
  const topic = `/${CONFIG.product_key}/js-model/user/get`;
  await within((resolve) => device.subscribe(topic, resolve));
  const received = next(device, topic);
  await call('Pub', { TopicFullName: topic, MessageContent: base64('你好') });
  expect((await received).toString(), '你好');
  await within((resolve) => device.publish(topic.replace('get', 'update'), 'up', { qos: 1 }, resolve));
  await within((resolve) => device.unsubscribe(topic, resolve));
  await call('Pub', { TopicFullName: topic, MessageContent: base64('unheard') });
  expect((await notes(`${CONFIG.product_key}/js-model`)).includes('undelivered'), true);
}

async function broadcast(device) {
  const received = within((resolve) => {
    device.on('message', (topic, payload) => topic.includes('/broadcast/request/') && resolve(payload));
  }, 'the broadcast');
  await call('PubBroadcast', { MessageContent: base64('to all') });
  expect((await received).toString(), 'to all');
}

async function tags(device) {
  const given = [{ attrKey: 'room', attrValue: 'hall' }, { attrKey: 'floor', attrValue: '1' }];
  expect((await within((resolve) => device.postTags(given, resolve))).code, 200);
  expect((await within((resolve) => device.deleteTags(['floor'], resolve))).code, 200);
  expect(JSON.parse((await call('QueryDeviceProp', { DeviceName: 'js-model' })).Props), { room: 'hall' });
}

async function shadow(device) {
  const ask = (start) => within((resolve) => {
    device.onShadow(resolve);
    start();
  }, 'the shadow');
  expect((await ask(() => device.postShadow({ a: 'red' }))).payload.status, 'success');
  expect((await ask(() => device.getShadow())).payload.state, { reported: { a: 'red' } });
  expect((await ask(() => device.deleteShadow('a'))).payload.status, 'success');
  const message = { method: 'update', state: { desired: { a: 'green' } }, version: 0 };
  const control = ask(() => call('UpdateDeviceShadow', { DeviceName: 'js-model', ShadowMessage: JSON.stringify(message) }));
  expect((await control).payload.state.desired, { a: 'green' });
}

async function remoteConfiguration(device) {
  const pushed = within((resolve) => device.onConfig(resolve), 'the configuration');
  await call('PushThingConfig', { DeviceName: 'js-model', ConfigContent: '{"interval":60}' });
  const got = await within((resolve) => device.getConfig(resolve));
  expect((await pushed).params.configId, got.data.configId);
  const file = Buffer.from(await (await fetch(got.data.url)).arrayBuffer());
  expect(file.toString(), '{"interval":60}');
  expect(crypto.createHash('sha256').update(file).digest('hex'), got.data.sign);
}

async function registrationOverHttps() {
  const registerURL = `https://127.0.0.1:${tls.web_port}/auth/register/device`;
  const { product_key: productKey, product_secret: productSecret } = CONFIG;
  const register = (more) => within((resolve) => {
    iot.register({ productKey, productSecret, deviceName: 'js-https', registerURL, ...more }, resolve);
  });
  expect((await register()).data.deviceSecret, CONFIG.secret);
  expect((await register()).code, 6289);
  expect((await register({ productSecret: 'wrong' })).code, 6600);
}

async function topologyAddAndDelete(gateway) {
  const added = await within((resolve) => gateway.addTopo([lamp('js-sub-1'), lamp('js-sub-2')], resolve));
  expect([added.code, added.data.length], [200, 2]);
  const wrong = await within((resolve) => gateway.addTopo([lamp('js-sub-3', 'wrong')], resolve));
  expect(wrong.code, 401);
  const { productKey, deviceName } = lamp('js-sub-2');
  expect((await within((resolve) => gateway.removeTopo([{ productKey, deviceName }], resolve))).code, 200);
}

async function topologyGet(gateway) {
  const topology = await within((resolve) => gateway.getTopo(resolve));
  expect(topology.data.map((entry) => entry.deviceName), ['js-sub-1']);
}

async function logIn(gateway, name) {
  const device = gateway.login(lamp(name), () => {});
  await within((resolve, reject) => device.once('connect', resolve).once('error', reject), 'the login');
  await subscribed(device);
  return device;
}

async function loginAndLogout(gateway) {
  await within((resolve) => gateway.addTopo([lamp('js-sub-3')], resolve));
  await logIn(gateway, 'js-sub-3');
  expect(await status('js-sub-3', CONFIG.sub_key), 'ONLINE');
  const { productKey, deviceName } = lamp('js-sub-3');
  expect((await within((resolve) => gateway.logout({ productKey, deviceName }, resolve))).code, 200);
  expect(await status('js-sub-3', CONFIG.sub_key), 'OFFLINE');
}

async function subDeviceData(gateway) {
  const loggedIn = await logIn(gateway, 'js-sub-1');
  expect((await within((resolve) => loggedIn.postProps({ Brightness: 7 }, resolve))).code, 200);
  const request = within((resolve) => loggedIn.onProps(resolve));
  await call('SetDeviceProperty', { DeviceName: 'js-sub-1', Items: '{"LightSwitch":1}' }, CONFIG.sub_key);
  const { id } = await request;
  loggedIn.publish(`${loggedIn.model.ONSET_PROPS_TOPIC}_reply`, JSON.stringify({ id, code: 200, data: {} }));
  expect((await outcome('js-sub-1', 'set', CONFIG.sub_key)).code, 200);
}

async function subDeviceRegistration(gateway) {
  const { productKey, deviceName } = lamp('js-sub-4');
  const registered = await within((resolve) => gateway.regiestSubDevice([{ productKey, deviceName }], resolve));
  const { deviceSecret } = registered.data[0];
  expect((await within((resolve) => gateway.addTopo([lamp('js-sub-4', deviceSecret)], resolve))).code, 200);
}

async function main() {
  await check('connect over TCP', () => connects('js-tcp'));
  await check('connect over TLS', () => connects('js-tls', { brokerUrl: `mqtts://127.0.0.1:${tls.port}/` }));
  await check('connect over WebSocket', () => connects('js-web', { brokerUrl: `ws://127.0.0.1:${plain.web_port}/mqtt` }));
  await check('wrong secret refused', wrongSecret);
  await check('clean session 0', cleanSession0);
  await check('reconnect by itself', reconnects);
  const device = await connected(triple('js-model'));
  await check('property post', () => propertyPost(device));
  await check('event post', () => eventPost(device));
  await check('property set', () => propertySet(device));
  await check('asynchronous service', () => asynchronousService(device));
  await check('synchronous service', () => synchronousService(device));
  await check('user topics', () => userTopics(device));
  await check('broadcast', () => broadcast(device));
  await check('tags', () => tags(device));
  await check('shadow', () => shadow(device));
  await check('remote configuration', () => remoteConfiguration(device));
  await check('dynamic registration over HTTPS', registrationOverHttps);
  const gateway = await connected(triple('js-gateway'), iot.gateway);
  await check('topology add and delete', () => topologyAddAndDelete(gateway));
  await check('topology get', () => topologyGet(gateway));
  await check('sub-device login and logout', () => loginAndLogout(gateway));
  await check('sub-device data', () => subDeviceData(gateway));
  await check('sub-device registration', () => subDeviceRegistration(gateway));
  process.exit(0);
}

main();
