/* A VST3 plug-in that misbehaves: a real one (REAL, the path of its library) with one thing gone wrong (HOW).

   The module's entry points are passed on to the real library. Of its factory, createInstance is exchanged, and
   of the audio processor that comes out of it, process: the table of functions that each object begins with is
   written over. That holds for plug-ins made with DPF, whose tables lie in the object itself.

   Places of the functions in their tables: VST 3 SDK, ipluginbase.h (IPluginFactory) and ivstaudioprocessor.h. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CRASH 1
#define HANG 2
#define EXIT 3
#define FLOOD 4
#define GREEDY 5
#define NOT_A_NUMBER 6
#define SHORT_OF_AUDIO 7

#define QUERY_INTERFACE 0
#define CREATE_INSTANCE 6
#define GET_LATENCY 6
#define PROCESS 9
#define BLOCKS_IN_PEACE 40

typedef int32_t (*Query)(void *, const uint8_t *, void **);
typedef int32_t (*Create)(void *, const uint8_t *, const uint8_t *, void **);
typedef int32_t (*Process)(void *, void *);

struct buses { int32_t channels; uint64_t silence; float **samples; };
struct block { int32_t mode, size, frames, inputs, outputs; struct buses *in, *out; };

static const uint8_t COMPONENT[16] = {0xE8, 0x31, 0xFF, 0x31, 0xF2, 0xD5, 0x43, 0x01,
                                      0x92, 0x8E, 0xBB, 0xEE, 0x25, 0x69, 0x78, 0x02};
static const uint8_t AUDIO_PROCESSOR[16] = {0x42, 0x04, 0x3F, 0x99, 0xB7, 0xDA, 0x45, 0x3C,
                                            0xA5, 0x69, 0xE7, 0x9D, 0x9A, 0xAE, 0xC3, 0x3D};
static Query real_query;
static Create real_create;
static Process real_process;
static int blocks;

static void misbehave(void) {
    if (HOW == CRASH) *(volatile int *)8 = 1;
    if (HOW == HANG) for (;;) pause();
    if (HOW == EXIT) _exit(3);
    if (HOW == FLOOD) {
        static char line[4096];
        memset(line, '!', sizeof line);
        line[sizeof line - 1] = '\n';
        for (int i = 0; i < 1024; i++) {
            if (write(2, line, sizeof line) < 0) break;
            if (write(1, line, sizeof line) < 0) break;
        }
    }
    if (HOW == GREEDY) {
        volatile char *taken = malloc(16 << 20);
        for (int i = 0; i < 16 << 20; i += 4096) taken[i] = 1;
        usleep(50000);  /* one that is done before anybody looks at its memory takes it from nobody */
    }
}

static int32_t process(void *self, void *data) {
    int32_t result = real_process(self, data);
    struct block *block = data;
    if (++blocks > BLOCKS_IN_PEACE) {
        misbehave();
        if (HOW == NOT_A_NUMBER && block->outputs && block->frames) block->out->samples[0][0] = 0.0f / 0.0f;
    }
    return result;
}

static uint32_t endless_latency(void *self) { (void)self; return 1 << 30; }

static int32_t query(void *self, const uint8_t *id, void **object) {
    int32_t result = real_query(self, id, object);
    if (result == 0 && memcmp(id, AUDIO_PROCESSOR, 16) == 0) {
        void **table = *(void ***)*object;
        if (table[PROCESS] != (void *)process) {
            real_process = (Process)table[PROCESS];
            table[PROCESS] = (void *)process;
            if (HOW == SHORT_OF_AUDIO) table[GET_LATENCY] = (void *)endless_latency;
        }
    }
    return result;
}

static int32_t create(void *self, const uint8_t *id, const uint8_t *interface, void **object) {
    int32_t result = real_create(self, id, interface, object);
    if (result == 0 && memcmp(interface, COMPONENT, 16) == 0) {
        void **table = *(void ***)*object;
        if (table[QUERY_INTERFACE] != (void *)query) {
            real_query = (Query)table[QUERY_INTERFACE];
            table[QUERY_INTERFACE] = (void *)query;
        }
    }
    return result;
}

static void *real(const char *name) {
    static void *library;
    if (!library) library = dlopen(REAL, RTLD_NOW | RTLD_LOCAL);
    return library ? dlsym(library, name) : NULL;
}

int ModuleEntry(void *handle) {
    if (AT_ONCE) misbehave();
    int (*entry)(void *) = real("ModuleEntry");
    return entry && entry(handle);
}

int ModuleExit(void) {
    int (*end)(void) = real("ModuleExit");
    return end && end();
}

void *GetPluginFactory(void) {
    void *(*get)(void) = real("GetPluginFactory");
    void *factory = get ? get() : NULL;
    void **table = factory ? *(void ***)factory : NULL;
    if (table && table[CREATE_INSTANCE] != (void *)create) {
        real_create = (Create)table[CREATE_INSTANCE];
        table[CREATE_INSTANCE] = (void *)create;
    }
    return factory;
}
