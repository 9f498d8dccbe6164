//! What contracts are asked, with typed answers. What they are sent is in `zkml-contracts`.

use alloy::sol;

sol! {
    /// A generated verifier.
    interface GeneratedVerifier {
        function vkDigest() external view returns (bytes32 digest);
        function modelCommitment() external view returns (bytes32 commitment);
        function srsDigest() external view returns (bytes32 digest);
    }

    /// `ZKMLEmergencyStop`.
    interface ZkmlEmergencyStop {
        function VERIFIER() external view returns (address verifier);
        function stopped() external view returns (bool);
        function owner() external view returns (address);
    }

    /// `ZKMLVerifier`.
    interface ZkmlVerifier {
        function registry() external view returns (address registryAddress);
        function ROUTER() external view returns (address);
        function checkInference(uint256 modelId, bytes32 inputCommitment, bytes output, bytes proof) external view;
    }

    /// `ZKMLRegistry`.
    interface ZkmlRegistry {
        struct Identity {
            bytes32 modelHash;
            bytes32 circuitHash;
            bytes32 vkHash;
            bytes4 proofSystemId;
        }

        function identityOf(uint256 modelId)
            external view returns (Identity memory identity, address owner, bool deprecated);
    }

    /// `ZKMLRouter`.
    interface ZkmlRouter {
        struct Route {
            address verifier;
            uint64 activeFrom;
            bool stopped;
            bytes32 codeHash;
        }

        function owner() external view returns (address);
        function frozen() external view returns (bool);
        function routeOf(bytes4 selector) external view returns (Route memory route);
        function proposeRoute(address verifier) external returns (bytes4 selector);
    }

    /// A contract that inherits `ZKMLConsumer`.
    interface ZkmlConsumer {
        function nonces(address subject) external view returns (uint256 nonce);
        function contextOf(address subject, uint256 nonce, uint256 deadline, bytes32 action)
            external view returns (bytes32 context);
        function modelId() external view returns (uint256 id);
        function ZKML_VERIFIER() external view returns (address verifier);
        function owner() external view returns (address);
        function MODEL_DELAY() external view returns (uint256);
    }

    /// A contract that inherits `ZKMLRewards`; its other calls are in `zkml-contracts`.
    interface ZkmlRewards {
        function fundsOf(address account, address asset) external view returns (uint256 amount);
        function spendingLimitOf(address payer, address spender, address asset) external view returns (uint256 amount);
        function deposit(address asset, uint256 amount) external payable;
    }

    /// A contract that inherits `ZKMLAcceptance`; its other calls are in `zkml-contracts`.
    interface ZkmlAcceptance {
        function ATTESTATION_TYPEHASH() external view returns (bytes32 typehash);
        function challengerOf(bytes32 resultId) external view returns (address challenger);
    }

    /// A registry of keys that attest.
    interface ZkmlAttestors {
        function check(bytes32 keyId, bytes32 digest, bytes signature) external view;
    }

    /// A beacon that draws results.
    interface ZkmlBeacon {
        function randomnessOf(uint64 round) external view returns (uint8 state, bytes32 value);
        function nextRound() external view returns (uint64 round);
    }

    /// `ZKMLRandaoBeacon`.
    interface ZkmlRandaoBeacon {
        function DELAY() external view returns (uint256 blocks);
    }

    /// `ZKMLRevealBeacon`.
    interface ZkmlRevealBeacon {
        function START() external view returns (uint256 time);
        function HALF() external view returns (uint256 seconds_);
    }

    /// A token (ERC-20).
    interface Erc20 {
        function decimals() external view returns (uint8 decimals);
        function balanceOf(address account) external view returns (uint256 balance);
        function allowance(address owner, address spender) external view returns (uint256 amount);
        function approve(address spender, uint256 amount) external returns (bool done);
    }

    /// What publishing a transaction on Ethereum costs on top (OP stack, Scroll).
    interface L1Fee {
        function getL1Fee(bytes transaction) external view returns (uint256 fee);
    }
}
