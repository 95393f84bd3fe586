// Tunnels: what lies between a fleet's clients and the network: GRE with its numbers and
// acknowledgements (RFC 2637 s4), and the encryption of data. One thread; calls are known by the
// owner's index.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "controlplane/client_role/ppp_client.h"
#include "proto/wire/cursor.h"
#include "tools/load/tunnel/capture.h"
#include "tools/load/tunnel/faults.h"

namespace culvert::load {

class Tunnels {
 public:
  // Ends of a call: addresses in host order, and the Call IDs that each has assigned.
  struct Ends {
    uint32_t client = 0, server = 0;
    uint16_t client_id = 0, server_id = 0;  // server_id 0: not known yet
  };
  // Counters since the beginning, in packets.
  struct Counters {
    uint64_t late = 0;        // overtaken
    uint64_t duplicated = 0;  // came before
    uint64_t strange = 0;     // of no call that there is
    uint64_t unsent = 0;      // that the kernel or the port did not take
  };

  // Owner gets what arrives, out of Receive, Encrypt and End.
  class Owner {
   public:
    static constexpr uint32_t kNone = UINT32_MAX;

    // CallOf gives the call that `client` (host order) has given the Call ID, or kNone.
    virtual uint32_t CallOf(uint32_t client, uint16_t client_id) = 0;
    // OnBatch: packets that came together follow.
    virtual void OnBatch() = 0;
    // OnControl: a frame that is no data, from the protocol field on, or with FF 03 before it.
    virtual void OnControl(uint32_t call, wire::Octets frame) = 0;
    // OnPacket: an IPv4 packet, decrypted where the call encrypts.
    virtual void OnPacket(uint32_t call, std::span<const uint8_t> packet) = 0;
    // OnUnreadable: decrypting gave no IPv4 packet.
    virtual void OnUnreadable(uint32_t call) = 0;
    // OnKeyLost: frames of stateful MPPE were lost; the server is to be asked for a reset.
    virtual void OnKeyLost(uint32_t call) = 0;

   protected:
    ~Owner() = default;
  };

  virtual ~Tunnels() = default;

  // Open gives what is wrong, or an empty string.
  virtual std::string Open() = 0;
  // fd can be read when something has come; -1: nobody tells, and Receive looks.
  [[nodiscard]] virtual int fd() const = 0;
  // ids_by_server: Call IDs are told apart by the server that they are for, else by the client.
  [[nodiscard]] virtual bool ids_by_server() const = 0;
  // MaxWaitUs bounds the time from one Receive to the next; `wait_us` is what the caller wants.
  [[nodiscard]] virtual int64_t MaxWaitUs(int64_t wait_us) = 0;

  // Begin: the call is asked for; its packets may come from now on. Connect: the server has given
  // its Call ID. What is wrong, or an empty string. End forgets the call.
  virtual void Begin(uint32_t call, const Ends& ends) = 0;
  virtual std::string Connect(uint32_t call, uint16_t server_id) = 0;
  virtual void End(uint32_t call) = 0;
  // Encrypt takes up what CCP has agreed on, with keys that begin anew; Address what IPCP has.
  virtual std::string Encrypt(uint32_t call, const client_role::PppClient& ppp) = 0;
  virtual std::string Address(uint32_t call, uint32_t address) = 0;
  // ShowKey: the server has sent a Reset-Request.
  virtual void ShowKey(uint32_t call) = 0;

  virtual void Receive() = 0;
  // SendControl sends a frame, from the protocol field on.
  virtual void SendControl(uint32_t call, wire::Octets frame) = 0;
  // AddPacket gives room for an IPv4 packet of `len` octets, to be filled before the next call of
  // any of these functions; Flush sends it.
  virtual std::span<uint8_t> AddPacket(uint32_t call, size_t len) = 0;
  virtual void Flush(uint64_t now_ms) = 0;

  [[nodiscard]] virtual Counters counters() const = 0;
  // Suffer has what is sent from now on meet with faults; borrowed, nullptr: none. Capture writes
  // the packets of one call, both ways; borrowed, nullptr: none. False: this way cannot.
  virtual bool Suffer(Faults* faults) = 0;
  virtual bool StartCapture(uint32_t call, Capture* capture) = 0;
};

}  // namespace culvert::load
