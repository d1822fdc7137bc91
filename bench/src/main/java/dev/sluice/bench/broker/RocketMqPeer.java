package dev.sluice.bench.broker;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Apache RocketMQ's broker, without a name server: the load program goes to the broker itself.
///
/// Topics are made and deleted by the requests that its own admin tool sends, with a head in JSON. Messages of all
/// topics lie in one commit log, which a deletion leaves as it is.
record RocketMqPeer(Server server) implements Peer {
    private static final int UPDATE_AND_CREATE_TOPIC = 17;
    private static final int DELETE_TOPIC_IN_BROKER = 215;
    private static final int READ_AND_WRITE = 6;

    /// With the options of its own start script, but for the heap: 2 GiB where the script takes 8. Messages may
    /// wait for 10 s in its queue: with its 0.2 s it turns messages away as soon as the machine is busy elsewhere.
    static Peer start(String label, Path folder, String classpath) throws IOException, InterruptedException {
        int port = Peer.freePort();
        Path conf = folder.resolve("broker.conf");
        Files.writeString(conf, """
                brokerClusterName=bench
                brokerName=bench
                brokerId=0
                brokerIP1=127.0.0.1
                brokerIP2=127.0.0.1
                listenPort=%1$d
                storePathRootDir=%2$s
                storePathCommitLog=%2$s/commitlog
                brokerRole=ASYNC_MASTER
                flushDiskType=ASYNC_FLUSH
                waitTimeMillsInSendQueue=10000
                """.formatted(port, folder.resolve("store")));
        List<String> command = List.of(
                "env",
                "ROCKETMQ_HOME=" + folder,
                Peer.java(),
                "-Xms2g",
                "-Xmx2g",
                "-XX:+UseG1GC",
                "-XX:G1HeapRegionSize=16m",
                "-XX:G1ReservePercent=25",
                "-XX:InitiatingHeapOccupancyPercent=30",
                "-XX:SoftRefLRUPolicyMSPerMB=0",
                "-XX:-OmitStackTraceInFastThrow",
                "-XX:MaxDirectMemorySize=4g",
                "--add-opens=java.base/java.nio=ALL-UNNAMED",
                "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
                "--add-opens=java.base/java.lang=ALL-UNNAMED",
                "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED",
                "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
                "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED",
                "-Duser.home=" + folder,
                "-cp",
                classpath,
                "org.apache.rocketmq.broker.BrokerStartup",
                "-c",
                conf.toString());
        return new RocketMqPeer(Peer.start(label, command, folder, port, "boot success"));
    }

    @Override
    public void create(String topic, int partitions) throws IOException {
        ask(UPDATE_AND_CREATE_TOPIC, """
                "topic":"%s","defaultTopic":"TBW102","readQueueNums":"%d","writeQueueNums":"%d","perm":"%d",\
                "topicFilterType":"SINGLE_TAG","topicSysFlag":"0","order":"false"\
                """.formatted(topic, partitions, partitions, READ_AND_WRITE));
    }

    @Override
    public void delete(String topic) throws IOException {
        ask(DELETE_TOPIC_IN_BROKER, "\"topic\":\"" + topic + "\"");
    }

    private void ask(int code, String fields) throws IOException {
        byte[] head = ("{\"code\":" + code + ",\"extFields\":{" + fields
                        + "},\"flag\":0,\"language\":\"JAVA\",\"opaque\":0,\"version\":493}")
                .getBytes(StandardCharsets.UTF_8);
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            out.writeInt(4 + head.length);
            out.writeInt(head.length);
            out.write(head);
            out.flush();
            DataInputStream in = new DataInputStream(socket.getInputStream());
            byte[] answer = in.readNBytes(in.readInt());
            String text = new String(answer, 4, answer.length - 4, StandardCharsets.UTF_8);
            if (!text.contains("\"code\":0,")) {
                throw new IOException("RocketMQ does not do " + fields + ": " + text);
            }
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
