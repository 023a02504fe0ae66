package io.mxr;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * The native libraries: found, and loaded once.
 *
 * <p>libmxr is the one that the environment variable {@code MXR_LIBRARY} names, else one that the process has loaded
 * already, else the one in the jar. What is in the jar is unpacked to a cache folder: that of the system property
 * {@code mxr.cache}, else {@code mxr/jvm} in {@code XDG_CACHE_HOME} or {@code ~/.cache}, else a temporary one.
 */
public final class Library {
    private Library() {}

    private static final String JNI = "libmxr_jni.so";
    private static final String ENGINE = "libmxr.so";
    private static String file;

    /** Loads the libraries if they are not loaded. */
    static synchronized void load() {
        if (file != null) return;
        try {
            Path folder = unpacked();
            System.load(folder.resolve(JNI).toString());
            file = start(System.getenv("MXR_LIBRARY"), folder.resolve(ENGINE).toString());
        } catch (IOException error) {
            throw new UncheckedIOException("mxr: unpacking the native libraries", error);
        }
    }

    /** Loads libmxr, from {@code named} or else {@code bundled}, and returns the file it came from. */
    private static native String start(String named, String bundled);

    /** The file that libmxr came from. */
    public static String file() {
        load();
        return file;
    }

    /** The version of libmxr. */
    public static String version() {
        return Bridge.text(Native.version());
    }

    /** How libmxr was built. */
    public static String buildInfo() {
        return Bridge.text(Native.buildInfo());
    }

    /** The most threads that one operation uses. */
    public static int numThreads() {
        return Native.numThreads();
    }

    /** The folder of the jar's libraries, by their checksum, so that versions do not meet. */
    private static Path unpacked() throws IOException {
        String platform = platform();
        String checksum = resource(platform + "/checksum");
        for (Path parent : new Path[] {cache(), null}) {
            try {
                Path folder = parent == null ? temporary() : parent.resolve(checksum);
                Files.createDirectories(folder);
                for (String name : new String[] {JNI, ENGINE}) unpack(platform, name, folder);
                return folder.toAbsolutePath();
            } catch (IOException error) {
                if (parent == null) throw error;
            }
        }
        throw new IOException("no folder to unpack to");
    }

    private static Path temporary() throws IOException {
        Path folder = Files.createTempDirectory("mxr");
        for (String name : new String[] {JNI, ENGINE}) folder.resolve(name).toFile().deleteOnExit();
        return folder;
    }

    private static Path cache() {
        String own = System.getProperty("mxr.cache");
        if (own != null) return Path.of(own);
        String xdg = System.getenv("XDG_CACHE_HOME");
        Path base = xdg != null && !xdg.isEmpty() ? Path.of(xdg) : Path.of(System.getProperty("user.home"), ".cache");
        return base.resolve("mxr").resolve("jvm");
    }

    /** Writes a library whole or not at all; one that is there already is taken. */
    private static void unpack(String platform, String name, Path folder) throws IOException {
        Path place = folder.resolve(name);
        if (Files.exists(place)) return;
        Path part = Files.createTempFile(folder, name, ".part");
        try (InputStream from = open(platform + "/" + name)) {
            Files.copy(from, part, StandardCopyOption.REPLACE_EXISTING);
            Files.move(part, place, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(part);
        }
    }

    private static String platform() {
        String os = System.getProperty("os.name").toLowerCase().replace(" ", "");
        String arch = System.getProperty("os.arch");
        return "native/" + os + "-" + (arch.equals("amd64") ? "x86_64" : arch);
    }

    private static String resource(String path) throws IOException {
        try (InputStream from = open(path)) {
            return new String(from.readAllBytes(), StandardCharsets.UTF_8).trim();
        }
    }

    private static InputStream open(String path) throws IOException {
        InputStream from = Library.class.getResourceAsStream(path);
        if (from == null) throw new IOException("the jar has no " + path + ": it was made for another platform");
        return from;
    }
}
