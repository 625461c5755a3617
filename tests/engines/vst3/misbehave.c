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
#define MISTIMED 8
#define LOUD 9
#define MUTE 10
#define FORGETFUL 11
#define HELPER 12
#define DESERTER 13

#define QUERY_INTERFACE 0
#define CREATE_INSTANCE 6
#define GET_STATE 13
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
static Process real_process, real_get_state;
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
    if (HOW == DESERTER) {
        if (fork()) *(volatile int *)8 = 1;
        sleep(15);  /* with all that was open */
        _exit(0);
    }
    if (HOW == HELPER && blocks == BLOCKS_IN_PEACE + 1 && !fork()) execlp("sleep", "sleep", "15", NULL);
}

static void change(float *samples, int frames) {
    for (int i = 0; i < frames; i++) {
        if (HOW == NOT_A_NUMBER) samples[i] = 0.0f / 0.0f;
        if (HOW == LOUD) samples[i] *= 1e5f;
        if (HOW == MUTE) samples[i] = 0.0f;
    }
}

static int32_t process(void *self, void *data) {
    int32_t result = real_process(self, data);
    struct block *block = data;
    if (++blocks > BLOCKS_IN_PEACE || HOW == MUTE) {
        misbehave();
        for (int i = 0; block->outputs && i < block->out->channels; i++) change(block->out->samples[i], block->frames);
    }
    return result;
}

static uint32_t false_latency(void *self) { (void)self; return HOW == MISTIMED ? 4800 : 1 << 30; }

static int32_t crash_when_saved(void *self, void *stream) {
    if (blocks > BLOCKS_IN_PEACE) raise(SIGSEGV);
    return real_get_state(self, stream);
}

static int32_t query(void *self, const uint8_t *id, void **object) {
    int32_t result = real_query(self, id, object);
    if (result == 0 && memcmp(id, AUDIO_PROCESSOR, 16) == 0) {
        void **table = *(void ***)*object;
        if (table[PROCESS] != (void *)process) {
            real_process = (Process)table[PROCESS];
            table[PROCESS] = (void *)process;
            if (HOW == SHORT_OF_AUDIO || HOW == MISTIMED) table[GET_LATENCY] = (void *)false_latency;
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
            if (HOW == FORGETFUL) {
                real_get_state = (Process)table[GET_STATE];
                table[GET_STATE] = (void *)crash_when_saved;
            }
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
