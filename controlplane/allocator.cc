// The settings of jemalloc, which the program is linked with unless sanitizers bring an allocator
// of their own: memory of calls that have ended goes back to the kernel, by a thread beside the
// shards.

extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0";
}
