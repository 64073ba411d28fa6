// Lead connections to the platform's hosts to the simulator, for tests that only know these. The SDK itself stays as it is.
'use strict';

const net = require('net');

const { port, web_port: webPort } = JSON.parse(process.env.SDK_CHECK_PORTS);
const { connect } = net.Socket.prototype;

if (!connect.isRedirected) {
  net.Socket.prototype.connect = function redirected(...given) {
    const options = Array.isArray(given[0]) ? given[0][0] : given[0];
    if (options && typeof options.host === 'string' && options.host.endsWith('.aliyuncs.com')) {
      options.port = options.host.startsWith('iot-auth.') ? webPort : port;
      options.host = '127.0.0.1';
    }
    return connect.apply(this, given);
  };
  net.Socket.prototype.connect.isRedirected = true;
}
